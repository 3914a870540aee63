#include "broker/redis/redis_operations.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "base/one_line.hpp"
#include "broker/group_is_taken.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/fence_fields.hpp"
#include "broker/redis/guard.hpp"
#include "broker/redis/keys.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::size_t page_size = 100;
constexpr int scan_step = 1'000;
constexpr int max_scan_steps = 200;  // a server may be shared with others who have very many keys
constexpr std::int64_t max_counted_lag = 10'000;
constexpr int max_replay_tries = 10;

/// Of `{stream}/{entry}`.
struct dead_letter_id {
    std::string stream;
    entry_id entry;

    static std::optional<dead_letter_id> parse(std::string_view text) {
        const auto slash = text.rfind('/');
        if (slash == std::string_view::npos) return std::nullopt;
        const auto entry = entry_id::parse(text.substr(slash + 1));
        if (!entry) return std::nullopt;
        return dead_letter_id{std::string{text.substr(0, slash)}, *entry};
    }
};

commands range(const char* command, const std::string& key, const std::string& from, const std::string& to,
               std::size_t count) {
    commands one;
    one.begin(6).part(command).part(key).part(from).part(to).part("COUNT").part(count);
    return one;
}

}  // namespace

/// Runs an action, and lets go of the connection when it proves bad.
template <class Action>
auto redis_operations::guarded(Action action) {
    link_.drop_if_closed();
    try {
        return action();
    } catch (const outage& trouble) {
        link_.drop();
        throw link_.named(trouble);
    }
}

reply redis_operations::call(const commands& one) {
    const auto until = link_.answer_deadline();
    return link_.open(until).call(one, until);
}

std::vector<std::string> redis_operations::streams() {
    const auto names = call(commands{}.add("SMEMBERS", streams_key));
    std::set<std::string> sorted;
    for (std::size_t i = 0; i < names.size(); ++i) sorted.emplace(names[i].text());
    if (sorted.empty() && !std::exchange(looked_for_groups_, true)) sorted = streams_of_groups();
    return {sorted.begin(), sorted.end()};
}

/// The set of streams is a list only; a server that forgets may have lost it and not what it lists.
std::set<std::string> redis_operations::streams_of_groups() {
    const std::string prefix = "sluice:group:";
    std::set<std::string> found;
    std::string cursor = "0";
    for (int step = 0; step < max_scan_steps; ++step) {
        const auto until = link_.answer_deadline();
        commands look;
        look.begin(6).part("SCAN").part(cursor).part("MATCH").part(prefix + "*").part("COUNT").part(scan_step);
        const auto answer = link_.open(until).run(look, until).at(0);
        if (answer.is_error()) break;  // the account may not look at other keys
        cursor = answer[0].text();
        for (std::size_t i = 0; i < answer[1].size(); ++i) {
            const auto key = answer[1][i].text();
            const auto at = key.find('@', prefix.size());
            if (at != std::string_view::npos) found.emplace(key.substr(at + 1));
        }
        if (cursor == "0") break;
    }
    if (!found.empty()) {
        commands restore;
        restore.begin(2 + found.size()).part("SADD").part(streams_key);
        for (const auto& each : found) restore.part(each);
        const auto until = link_.answer_deadline();
        static_cast<void>(link_.open(until).run(restore, until));
    }
    return found;
}

void redis_operations::walk(const std::string& stream, direction from, const std::function<bool(grave)>& visit) {
    const auto key = dead_letter_key(stream);
    const bool backwards = from == direction::newest_first;
    std::string begin = backwards ? "+" : "-";
    for (;;) {
        const auto count = reading_.count(page_size);
        const auto began = std::chrono::steady_clock::now();
        const auto entries =
            call(backwards ? range("XREVRANGE", key, begin, "-", count) : range("XRANGE", key, begin, "+", count));
        const auto took = std::chrono::steady_clock::now() - began;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (const auto data = entries[i][1].field(data_field)) bytes += data->text().size();
        }
        reading_.got(entries.size(), bytes, std::chrono::duration_cast<duration>(took));
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto id = entry_id::parse(entries[i][0].text());
            const auto data = entries[i][1].field(data_field);
            auto content = data ? read_dead_letter(data->text()) : std::nullopt;
            if (!id || !content) continue;  // somebody else's entry
            if (content->entry.stream.empty()) content->entry.stream = stream;
            content->entry.id = stream + "/" + id->text();
            if (!visit({.stream = stream, .id = *id, .content = *std::move(content)})) return;
        }
        if (entries.size() < count) return;
        begin = "(" + std::string{entries[entries.size() - 1][0].text()};
    }
}

std::vector<redis_operations::grave> redis_operations::find(const dead_letter_filter& filter, direction from) {
    std::optional<dead_letter_id> wanted;
    if (!filter.id.empty()) {
        wanted = dead_letter_id::parse(filter.id);
        if (!wanted) return {};
    }
    std::vector<grave> found;
    for (const auto& stream : filter.stream.empty() ? streams() : std::vector{filter.stream}) {
        if (wanted && wanted->stream != stream) continue;
        std::size_t of_stream = 0;
        walk(stream, from, [&](grave each) {
            if (of_stream == filter.limit) return false;
            if (!filter.group.empty() && each.content.entry.group != filter.group) return true;
            if (wanted && wanted->entry != each.id) return true;
            found.push_back(std::move(each));
            ++of_stream;
            return !wanted;
        });
    }
    const auto age = [](const grave& g) { return std::tuple{g.id.milliseconds, g.content.buried_at, g.stream, g.id}; };
    std::ranges::sort(found, {}, age);
    if (from == direction::newest_first) std::ranges::reverse(found);
    if (found.size() > filter.limit)
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(filter.limit), found.end());
    return found;
}

std::vector<dead_letter_entry> redis_operations::dead_letters(const dead_letter_filter& filter) {
    return guarded([&] {
        std::vector<dead_letter_entry> result;
        for (auto& each : find(filter, direction::newest_first)) result.push_back(std::move(each.content.entry));
        return result;
    });
}

std::size_t redis_operations::replay(const dead_letter_filter& filter) {
    return guarded([&] {
        std::size_t count = 0;
        for (const auto& each : find(filter, direction::oldest_first)) {
            if (hand_back(each)) ++count;
        }
        return count;
    });
}

/// Moves one dead letter to the private stream of its group. False when it is gone, or its group none of ours.
bool redis_operations::hand_back(const grave& dead) {
    const auto& entry = dead.content.entry;
    if (call(commands{}.add("EXISTS", group_key(dead.stream, entry.group))).integer() == 0) {
        observe::log(
            observe::level::warn, "redis.not_replayed",
            {{"dead_letter", entry.id}, {"group", entry.group}, {"reason", "no reader of ours has this group"}});
        return false;
    }
    const auto grave_key = dead_letter_key(dead.stream);
    const auto to = replay_key(dead.stream, entry.group);
    for (int i = 0; i < max_replay_tries; ++i) {
        static_cast<void>(call(commands{}.add("WATCH", grave_key)));
        const auto id = dead.id.text();
        if (call(range("XRANGE", grave_key, id, id, 1)).size() == 0) return false;
        transaction all;
        auto& move = all.what();
        move.add("XGROUP", "CREATE", to, entry.group, "0", "MKSTREAM");  // an error when it is there
        move.add("XADD", to, "*", data_field, entry.body, original_field, entry.original_entry);
        move.add("XDEL", grave_key, id);
        const auto until = link_.answer_deadline();
        const auto result = run_transaction(link_.open(until), all, until);
        if (result.lost()) continue;  // something else happened to the dead letters
        if (!result.done()) throw outage{first_clause(result.result.text())};
        if (result.result[1].is_error()) throw outage{first_clause(result.result[1].text())};
        return true;
    }
    throw outage{"the dead letters of " + dead.stream + " change too fast to replay them; try again"};
}

std::size_t redis_operations::purge(const dead_letter_filter& filter) {
    return guarded([&] {
        std::size_t count = 0;
        for (const auto& each : find(filter, direction::oldest_first)) {
            count += static_cast<std::size_t>(
                call(commands{}.add("XDEL", dead_letter_key(each.stream), each.id.text())).integer());
        }
        return count;
    });
}

std::vector<group_status> redis_operations::groups() {
    return guarded([&] {
        std::vector<group_status> result;
        for (const auto& stream : streams()) {
            if (call(commands{}.add("EXISTS", stream)).integer() == 0) continue;
            const auto length = call(commands{}.add("XLEN", stream)).integer();
            std::map<std::string, std::int64_t> dead;
            walk(stream, direction::oldest_first, [&](const grave& each) {
                ++dead[each.content.entry.group];
                return true;
            });
            const auto found = call(commands{}.add("XINFO", "GROUPS", stream));
            for (std::size_t i = 0; i < found.size(); ++i) {
                const auto group = found[i];
                group_status status{.stream = stream, .group = std::string{group.field("name").value().text()}};
                status.length = length;
                status.pending = group.field("pending").value().integer();
                status.lag = lag_of(stream, group);
                status.dead = dead[status.group];
                status.domain = domain_of(stream, status.group);
                add_replays(status);
                result.push_back(std::move(status));
            }
        }
        return result;
    });
}

std::optional<fence_state> redis_operations::fence_of(std::string_view producer) {
    return guarded([&]() -> std::optional<fence_state> {
        const auto hash = call(commands{}.add("HGETALL", lane_key(producer)));
        guard::fields found;
        for (std::size_t i = 0; i + 1 < hash.size(); i += 2) found.emplace(hash[i].text(), hash[i + 1].text());
        if (found.empty()) return std::nullopt;
        return read_fence(found);
    });
}

std::vector<std::string> redis_operations::newest_ids(std::string_view stream, std::size_t limit) {
    return guarded([&] {
        std::vector<std::string> ids;
        const auto entries = call(range("XREVRANGE", std::string{stream}, "+", "-", limit));
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto body = entries[i][1].field(data_field);
            if (!body) continue;
            try {
                ids.push_back(message::decode(body->text()).id());
            } catch (const decode_error&) {
                continue;  // somebody else's entry
            }
        }
        return ids;
    });
}

/// As the server counts it (7.0), else counted here, up to a bound.
std::int64_t redis_operations::lag_of(const std::string& key, const reply& group) {
    if (const auto known = group.field("lag"); known && !known->is_nil()) return known->integer();
    auto begin = "(" + std::string{group.field("last-delivered-id").value().text()};
    std::int64_t count = 0;
    while (count < max_counted_lag) {
        const auto entries = call(range("XRANGE", key, begin, "+", page_size));
        count += static_cast<std::int64_t>(entries.size());
        if (entries.size() < page_size) break;
        begin = "(" + std::string{entries[entries.size() - 1][0].text()};
    }
    return count;
}

std::vector<std::string> redis_operations::names_of_groups(const std::string& stream) {
    std::vector<std::string> names;
    if (call(commands{}.add("EXISTS", stream)).integer() == 0) return names;
    const auto found = call(commands{}.add("XINFO", "GROUPS", stream));
    for (std::size_t i = 0; i < found.size(); ++i) names.emplace_back(found[i].field("name").value().text());
    return names;
}

std::string redis_operations::domain_of(const std::string& stream, const std::string& group) {
    const auto found = call(commands{}.add("HGET", group_key(stream, group), "domain"));
    return found.is_text() ? std::string{found.text()} : std::string{};
}

std::vector<known_group> redis_operations::known_groups() {
    return guarded([&] {
        std::vector<known_group> result;
        for (const auto& stream : streams()) {
            for (auto& name : names_of_groups(stream)) {
                std::string domain = domain_of(stream, name);
                result.push_back({.stream = stream, .group = std::move(name), .domain = std::move(domain)});
            }
        }
        return result;
    });
}

std::vector<std::string> redis_operations::streams_of(std::string_view group) {
    std::vector<std::string> found;
    for (auto& stream : streams()) {
        const auto names = names_of_groups(stream);
        if (std::ranges::find(names, group) != names.end()) found.push_back(std::move(stream));
    }
    return found;
}

std::size_t redis_operations::rename_group(std::string_view from, std::string_view to) {
    return guarded([&] {
        const auto affected = streams_of(from);
        const auto taken = streams_of(to);
        for (const auto& stream : affected) {
            if (std::ranges::find(taken, stream) != taken.end()) throw group_is_taken(to, stream);
        }
        for (const auto& stream : affected) rename_on(stream, std::string{from}, std::string{to});
        return affected.size();
    });
}

/// The dead letters first, one by one; the rest in one step, so that an interruption leaves a group to repeat it with.
void redis_operations::rename_on(const std::string& stream, const std::string& from, const std::string& to) {
    rename_letters(stream, from, to);
    transaction all;
    auto& what = all.what();
    move_place(what, stream, stream, from, to);
    const auto is_there = [&](const std::string& key) { return call(commands{}.add("EXISTS", key)).integer() != 0; };
    if (const auto replays = replay_key(stream, from); is_there(replays)) {
        what.add("RENAME", replays, replay_key(stream, to));
        move_place(what, replays, replay_key(stream, to), from, to);
    }
    for (const auto key_of : {&attempts_key, &group_key, &readers_key}) {
        if (is_there(key_of(stream, from))) what.add("RENAME", key_of(stream, from), key_of(stream, to));
    }
    const auto until = link_.answer_deadline();
    const auto result = run_transaction(link_.open(until), all, until);
    if (!result.done()) throw outage{base::one_line(result.result.text())};
    for (std::size_t i = 0; i < result.result.size(); ++i) {
        if (result.result[i].is_error()) throw outage{base::one_line(result.result[i].text())};
    }
}

void redis_operations::move_place(commands& into, const std::string& key, const std::string& key_then,
                                  const std::string& from, const std::string& to) {
    const auto groups = call(commands{}.add("XINFO", "GROUPS", key));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i].field("name").value().text() != from) continue;
        into.add("XGROUP", "CREATE", key_then, to, groups[i].field("last-delivered-id").value().text());
        std::string begin = "-";
        for (;;) {
            const auto page = call(commands{}.add("XPENDING", key, from, begin, "+", page_size));
            for (std::size_t n = 0; n < page.size(); ++n) {
                into.add("XCLAIM", key_then, to, page[n][1].text(), 0, page[n][0].text(), "FORCE", "JUSTID");
            }
            if (page.size() < page_size) break;
            begin = "(" + std::string{page[page.size() - 1][0].text()};
        }
        into.add("XGROUP", "DESTROY", key_then, from);
    }
}

void redis_operations::rename_letters(const std::string& stream, const std::string& from, const std::string& to) {
    std::vector<grave> letters;
    walk(stream, direction::oldest_first, [&](grave each) {
        if (each.content.entry.group == from) letters.push_back(std::move(each));
        return true;
    });
    for (const auto& each : letters) rename_letter(each, to);
}

void redis_operations::rename_letter(const grave& dead, const std::string& to) {
    const auto key = dead_letter_key(dead.stream);
    const auto id = dead.id.text();
    for (int i = 0; i < max_replay_tries; ++i) {
        static_cast<void>(call(commands{}.add("WATCH", key)));
        const auto there = call(range("XRANGE", key, id, id, 1));
        if (there.size() == 0) return;
        const auto text = there[0][1].field(data_field);
        if (!text) return;
        transaction all;
        all.what().add("XADD", key, "*", data_field, dead_letter_of_group(text->text(), to)).add("XDEL", key, id);
        const auto until = link_.answer_deadline();
        const auto result = run_transaction(link_.open(until), all, until);
        if (result.lost()) continue;  // something else happened to the dead letters
        if (!result.done()) throw outage{base::one_line(result.result.text())};
        if (result.result[0].is_error()) throw outage{base::one_line(result.result[0].text())};
        return;
    }
    throw outage{"the dead letters of " + dead.stream + " change too fast to rename their group; try again"};
}

std::size_t redis_operations::retire_group(std::string_view only_stream, std::string_view group) {
    return guarded([&] {
        auto affected = streams_of(group);
        if (!only_stream.empty()) std::erase_if(affected, [&](const auto& each) { return each != only_stream; });
        const std::string name{group};
        for (const auto& stream : affected) {
            std::vector<grave> letters;
            walk(stream, direction::oldest_first, [&](grave each) {
                if (each.content.entry.group == name) letters.push_back(std::move(each));
                return true;
            });
            for (const auto& each : letters) {
                static_cast<void>(call(commands{}.add("XDEL", dead_letter_key(stream), each.id.text())));
            }
            transaction all;
            all.what()
                .add("DEL", attempts_key(stream, name), replay_key(stream, name), group_key(stream, name),
                     readers_key(stream, name))
                .add("XGROUP", "DESTROY", stream, name);
            const auto until = link_.answer_deadline();
            const auto result = run_transaction(link_.open(until), all, until);
            if (!result.done()) throw outage{base::one_line(result.result.text())};
        }
        return affected.size();
    });
}

void redis_operations::abandon_group(std::string_view /*stream*/, std::string_view /*group*/, date_time /*now*/) {}

void redis_operations::add_replays(group_status& to) {
    const auto key = replay_key(to.stream, to.group);
    if (call(commands{}.add("EXISTS", key)).integer() == 0) return;
    const auto found = call(commands{}.add("XINFO", "GROUPS", key));
    if (found.size() == 0) return;
    const auto length = call(commands{}.add("XLEN", key)).integer();
    const auto pending = found[0].field("pending").value().integer();
    to.pending += pending;
    to.lag += length - pending;  // what is settled is deleted
}

}  // namespace sluice::broker::redis
