#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/terminal/table.hpp"
#include "operate/domain_view.hpp"

namespace sluice::cli {

namespace {

using operate::declared_field;
using operate::domain_view;

std::string limits_of(const declared_field& field) {
    std::string text;
    if (field.max_length != 0) text = fmt::format("at most {} characters", field.max_length);
    if (field.digits) text = fmt::format("{} digits after the point", *field.digits);
    for (const std::string& word : field.words) text += (text.empty() ? "one of " : ", ") + word;
    return text;
}

void add_fields(table& listing, const std::string& owner, const std::string& before,
                const std::vector<declared_field>& fields) {
    for (const declared_field& each : fields) {
        const std::string name = before + each.name;
        listing.add({owner, name, each.kind, each.required ? "yes" : "", limits_of(each)});
        const bool is_list = each.kind != "struct";
        add_fields(listing, owner, name + (is_list ? "[]." : "."), each.fields);
    }
}

std::string field_names(const std::vector<declared_field>& fields) {
    std::vector<std::string> names;
    names.reserve(fields.size());
    for (const declared_field& each : fields) names.push_back(each.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

/// The name of an aggregate; its class when the domain declares none.
std::string aggregate_name(const domain_view& domain, const std::string& class_name) {
    const auto found = std::ranges::find(domain.aggregates, class_name, &operate::declared_aggregate::class_name);
    return found == domain.aggregates.end() ? class_name : found->name;
}

void print_commands(const session& in, const domain_view& domain) {
    table commands{{{"COMMAND"}, {"FIELD"}, {"KIND"}, {"REQUIRED"}, {"LIMIT"}}};
    for (const operate::declared_command& each : domain.commands) add_fields(commands, each.name, "", each.fields);
    if (!commands.empty()) in.out.print(commands.render(in.out));
}

void print_events(const session& in, const domain_view& domain) {
    table events{{{"EVENT"}, {"AGGREGATE"}, {"VERSION"}, {"PUBLISHED"}, {"FIELDS"}}};
    for (const operate::declared_event& each : domain.events) {
        events.add({each.name, aggregate_name(domain, each.aggregate), std::to_string(each.version),
                    each.published ? "yes" : "", field_names(each.fields)});
    }
    if (!events.empty()) in.out.print(events.render(in.out));
}

void print_handlers(const session& in, const domain_view& domain) {
    table handlers{{{"HANDLER"}, {"GROUP"}, {"BROKER"}, {"STREAMS"}}};
    for (const consume::route& each : domain.handlers) {
        handlers.add({each.name, each.group, each.broker, fmt::format("{}", fmt::join(each.streams, ", "))});
    }
    if (!handlers.empty()) in.out.print(handlers.render(in.out));
}

void print(const session& in, const domain_view& domain) {
    in.out.print(safe_lines(fmt::format("domain {}", domain.name)));
    table aggregates{{{"AGGREGATE"}, {"STREAM"}, {"DATABASE"}, {"KEPT AS"}}};
    for (const operate::declared_aggregate& each : domain.aggregates) {
        aggregates.add({each.name, each.stream, each.database, each.kept_as});
    }
    if (!aggregates.empty()) in.out.print("\n" + aggregates.render(in.out));
    print_commands(in, domain);
    print_events(in, domain);
    print_handlers(in, domain);
}

exit_code describe_domain(const session& in) {
    declared_installation opened = operate::open_declared(in.site);
    const domain_view domain = operate::view_domain(opened.env->domain(), std::move(opened.routes));
    if (in.out.json()) {
        in.out.print_json(to_json(domain));
    } else {
        print(in, domain);
    }
    return exit_code::ok;
}

}  // namespace

void add_describe(command& root) {
    root.add("describe", "Show the domain's aggregates, commands with their fields, events and handlers")
        .runs(describe_domain);
}

}  // namespace sluice::cli
