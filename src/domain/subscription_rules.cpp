#include "domain/subscription_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace sluice::detail {

namespace {

/// The category whose commands subscription takes this command; null when its aggregate is not declared.
const std::string* category_of(const registry& domain, const command_entry& command) {
    const auto aggregate = domain.aggregates.find(command.aggregate);
    return aggregate == domain.aggregates.end() ? nullptr : &aggregate->second.category;
}

void add_broken(const std::string& what, const subscription_options& options, std::vector<std::string>& problems) {
    if (!is_group_name(options.name)) {
        problems.push_back(what + " has the .name \"" + options.name +
                           "\"; a name has at most 200 characters, none of them white space or `@`");
    }
    for (const std::string& rule : broken_rules(options)) {
        problems.push_back(what + " has the subscription option " + rule + "; change it, or leave it out");
    }
}

/// A handler that is the first in its category to say something about a key, and what.
struct first_word {
    std::string handler;
    std::string value;
};

class command_contradictions {
public:
    explicit command_contradictions(std::vector<std::string>& problems) : problems_{problems} {}

    void add(const std::string& category, const command_entry& command) {
        const subscription_options& options = command.options;
        if (!options.profile.empty()) compare(category, command.handler, "profile", options.profile);
        if (!options.name.empty()) compare(category, command.handler, "name", options.name);
        for_each_subscription_key([&](const auto& key) {
            if (const auto& value = options.*key.option) {
                compare(category, command.handler, key.name, fmt::format("{}", *value));
            }
        });
    }

private:
    void compare(const std::string& category, const std::string& handler, std::string_view key,
                 const std::string& value) {
        const auto [first, is_new] = first_.try_emplace({category, std::string{key}}, first_word{handler, value});
        if (is_new || first->second.value == value) return;
        if (!told_.insert({category + handler, std::string{key}}).second) return;
        problems_.push_back(fmt::format(
            "command handlers `{}` and `{}` have {} = {} and {} for the one subscription of the commands of `{}`; say "
            "it in one of them",
            first->second.handler, handler, key, first->second.value, value, category));
    }

    std::vector<std::string>& problems_;
    std::map<std::pair<std::string, std::string>, first_word> first_;  ///< by category and key
    std::set<std::pair<std::string, std::string>> told_;
};

/// Who reads in the name of a group: two readers would share its messages, each getting some of them.
class group_owners {
public:
    explicit group_owners(std::vector<std::string>& problems) : problems_{problems} {}

    void add(const std::string& group, const std::string& what) {
        const auto [first, is_new] = by_group_.try_emplace(group, what);
        if (is_new || first->second == what) return;
        problems_.push_back(
            fmt::format("{} and {} would share the consumer group `{}`, and each get some of its "
                        "messages; give one of them another .name",
                        first->second, what, group));
    }

private:
    std::vector<std::string>& problems_;
    std::map<std::string, std::string> by_group_;
};

void add_shared_groups(const registry& domain, std::vector<std::string>& problems) {
    group_owners owners{problems};
    for (const auto& handler : domain.event_handlers) {
        owners.add(handler.name, "event handler `" + handler.class_name + "`");
    }
    for (const auto& projector : domain.projectors) {
        owners.add(projector.name, "projector `" + projector.class_name + "`");
    }
    for (const auto& [cpp_name, process] : domain.processes) {
        owners.add(process.group, "process manager `" + process.fqn + "`");
    }
    // One class may serve several streams.
    for (const auto& subscriber : domain.subscribers) {
        owners.add(subscriber.name, "subscriber `" + subscriber.class_name + "`");
    }
}

}  // namespace

void fill_in(subscription_options& options, const subscription_options& weaker) {
    for_each_subscription_key([&](const auto& key) {
        if (!(options.*key.option)) options.*key.option = weaker.*key.option;
    });
}

// Group names are keys of brokers and words of commands.
bool is_group_name(std::string_view name) {
    constexpr std::size_t longest = 200;
    const auto is_usual = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '@' && c != '\x7f'; };
    return name.size() <= longest && std::all_of(name.begin(), name.end(), is_usual);
}

std::vector<std::string> broken_rules(const subscription_options& options) {
    std::vector<std::string> broken;
    for_each_subscription_key([&](const auto& key) {
        const auto& value = options.*key.option;
        if (!value || (*value >= key.lowest && *value <= key.highest)) return;  // a NaN is neither
        broken.push_back(fmt::format("{} = {}, which is not from {} to {}", key.name, *value, key.lowest, key.highest));
    });
    return broken;
}

subscription_options options_of_commands(const registry& domain, std::string_view category) {
    subscription_options together;
    for (const auto& [cpp_name, command] : domain.commands) {
        const std::string* own = category_of(domain, command);
        if (own == nullptr || *own != category) continue;
        if (together.profile.empty()) together.profile = command.options.profile;
        if (together.name.empty()) together.name = command.options.name;
        fill_in(together, command.options);
    }
    return together;
}

std::vector<std::string> subscription_problems(const registry& domain) {
    std::vector<std::string> problems;
    add_shared_groups(domain, problems);
    for (const auto& handler : domain.event_handlers) {
        add_broken("event handler `" + handler.name + "`", handler.options, problems);
    }
    std::set<std::string> told_start;
    std::set<std::string> told;  // the commands of one handler share its options
    command_contradictions contradictions{problems};
    for (const auto& [cpp_name, command] : domain.commands) {
        if (told.insert(command.handler).second) {
            add_broken("command handler `" + command.handler + "`", command.options, problems);
        }
        if (const std::string* category = category_of(domain, command)) contradictions.add(*category, command);
        if (command.options.from == start::beginning || !told_start.insert(command.handler).second) continue;
        problems.push_back("command handler `" + command.handler +
                           "` has the option .from, which would pass over commands; leave it out");
    }
    for (const auto& projector : domain.projectors) {
        add_broken("projector `" + projector.name + "`", projector.options, problems);
        if (projector.options.from == start::beginning) continue;
        problems.push_back("projector `" + projector.name +
                           "` has the option .from, but a read model holds what all events of the log say; leave it "
                           "out, and pass over old events in the projector");
    }
    for (const auto& [cpp_name, process] : domain.processes) {
        add_broken("process manager `" + process.fqn + "`", process.options, problems);
    }
    for (const auto& subscriber : domain.subscribers) {
        add_broken("subscriber `" + subscriber.name + "`", subscriber.options, problems);
    }
    return problems;
}

}  // namespace sluice::detail
