#include "broker/redis/redis_operations.hpp"

#include <algorithm>
#include <charconv>
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
#include "broker/redis/redis_walk.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::size_t page_size = 100;
constexpr int scan_step = 1'000;
constexpr int max_scan_steps = 200;  // a server may be shared with others who have very many keys
constexpr int keys_in_a_scan = 10'000;
constexpr std::string_view dead_letter_suffix = ":dlq";
constexpr const char* upto_field = "@upto";     // no group's name begins with @
constexpr const char* others_name = "@others";  // entries that are nobody's dead letters
constexpr const char* recounted_field = "@recounted";
/// Dead letters that vanish without our knowledge (trimmed, or deleted by hand) have all others read again, which may
/// be much, so not more often than this.
constexpr std::int64_t recount_pause_ms = std::int64_t{10} * 60 * 1000;
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

std::int64_t stored_number(const std::map<std::string, std::string, std::less<>>& hash, std::string_view field) {
    const auto found = hash.find(field);
    std::int64_t number = 0;
    if (found != hash.end()) {
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
    }
    return number;
}

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
    const auto until = answer_due();
    return link_.open(until).call(one, until);
}

std::vector<reply> redis_operations::run(const commands& several) {
    const auto until = answer_due();
    return link_.open(until).run(several, until);
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
        const auto until = answer_due();
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
        const auto until = answer_due();
        static_cast<void>(link_.open(until).run(restore, until));
    }
    return found;
}

/// Nobody keeps a list of streams that others read, so the keys are looked through. Not for what is asked often.
std::vector<std::string> redis_operations::streams_of(const dead_letter_filter& filter) {
    if (!filter.id.empty()) {
        const auto wanted = dead_letter_id::parse(filter.id);
        if (!wanted || (!filter.stream.empty() && filter.stream != wanted->stream)) return {};
        return {wanted->stream};
    }
    if (!filter.stream.empty()) return {filter.stream};
    const auto ours = streams();
    std::set<std::string> sorted{ours.begin(), ours.end()};
    std::string cursor = "0";
    for (int step = 0; step < max_scan_steps; ++step) {
        commands scan;
        scan.begin(8).part("SCAN").part(cursor).part("MATCH").part("*" + std::string{dead_letter_suffix});
        scan.part("COUNT").part(keys_in_a_scan).part("TYPE").part("stream");
        const auto found = run(scan).at(0);
        if (found.is_error()) break;  // an account that may not: what groups of ours read is known anyway
        cursor = found[0].text();
        for (std::size_t i = 0; i < found[1].size(); ++i) {
            const auto key = found[1][i].text();
            sorted.emplace(key.substr(0, key.size() - dead_letter_suffix.size()));
        }
        if (cursor == "0") break;
    }
    return {sorted.begin(), sorted.end()};
}

redis_operations::walked redis_operations::walk(const std::string& stream, direction from, std::string begin,
                                                const std::function<bool(grave)>& visit) {
    const auto key = dead_letter_key(stream);
    const bool backwards = from == direction::newest_first;
    walked seen;
    for (;;) {
        const auto wanted = reading_.count(page_size);
        const auto began = std::chrono::steady_clock::now();
        const auto entries =
            run(backwards ? range("XREVRANGE", key, begin, "-", wanted) : range("XRANGE", key, begin, "+", wanted))
                .at(0);
        const auto took = std::chrono::steady_clock::now() - began;
        if (entries.is_error() && error_code(entries.text()) == "WRONGTYPE") return seen;  // no dead letters of anybody
        if (entries.is_error()) throw outage{first_clause(entries.text())};
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (const auto data = entries[i][1].field(data_field)) bytes += data->text().size();
        }
        reading_.got(entries.size(), bytes, std::chrono::duration_cast<duration>(took));
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto id = entry_id::parse(entries[i][0].text());
            seen.last = entries[i][0].text();
            const auto data = entries[i][1].field(data_field);
            auto content = data ? read_dead_letter(data->text()) : std::nullopt;
            if (!id || !content) {
                ++seen.others;
                continue;
            }
            if (content->entry.stream.empty()) content->entry.stream = stream;
            content->entry.id = stream + "/" + id->text();
            if (!visit({.stream = stream, .id = *id, .content = *std::move(content)})) return seen;
        }
        if (entries.size() < wanted) return seen;
        begin = "(" + seen.last;
    }
}

std::vector<redis_operations::grave> redis_operations::find(const dead_letter_filter& filter, direction from) {
    std::vector<grave> found;
    const auto wanted = dead_letter_id::parse(filter.id);
    for (const auto& stream : streams_of(filter)) {
        std::size_t of_stream = 0;
        const auto begin = wanted ? wanted->entry.text() : from == direction::newest_first ? "+" : "-";
        walk(stream, from, begin, [&](grave each) {
            if (of_stream == filter.limit || (wanted && wanted->entry != each.id)) return false;
            if (!filter.group.empty() && each.content.entry.group != filter.group) return true;
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

std::size_t redis_operations::count(const dead_letter_filter& filter) {
    return guarded([&]() -> std::size_t {
        if (!filter.id.empty()) return find(filter, direction::oldest_first).size();
        std::int64_t sum = 0;
        for (const auto& stream : streams_of(filter)) {
            for (const auto& [group, dead] : tally(stream)) {
                if (group != others_name && (filter.group.empty() || filter.group == group)) sum += dead;
            }
        }
        return static_cast<std::size_t>(sum);
    });
}

letters_outcome redis_operations::for_each(const dead_letter_filter& filter,
                                           const std::function<std::string(const grave&)>& change) {
    letters_outcome outcome;
    try {
        const auto wanted = dead_letter_id::parse(filter.id);
        for (const auto& stream : streams_of(filter)) {
            static_cast<void>(tally(stream));  // so that what goes is known to have been counted
            entry_id last;
            const auto newest = run(range("XREVRANGE", dead_letter_key(stream), "+", "-", 1)).at(0);
            if (newest.is_error() || newest.size() == 0) continue;
            last = entry_id::parse(newest[0][0].text()).value_or(last);
            walk(stream, direction::oldest_first, wanted ? wanted->entry.text() : "-", [&](const grave& each) {
                const auto& letter = each.content.entry;
                if (outcome.changed == filter.limit || each.id > last) return false;
                if (wanted && wanted->entry != each.id) return false;
                if (!filter.group.empty() && letter.group != filter.group) return true;
                const auto why_not = change(each);
                if (why_not.empty()) {
                    ++outcome.changed;
                } else {
                    outcome.leave(letter.stream, letter.group, why_not);
                }
                return !wanted;
            });
        }
    } catch (const outage& trouble) {
        if (outcome.changed == 0) throw;
        link_.drop();
        outcome.interrupted = link_.named(trouble).what();
    }
    return outcome;
}

letters_outcome redis_operations::replay(const dead_letter_filter& filter) {
    return guarded([&] {
        std::map<std::string, own_groups, std::less<>> readers;
        return for_each(filter, [&](const grave& each) { return hand_back(each, readers[each.stream]); });
    });
}

/// Moves one dead letter to the private stream of its group.
std::string redis_operations::hand_back(const grave& dead, own_groups& readers) {
    const auto& entry = dead.content.entry;
    auto reader = readers.find(entry.group);
    if (reader == readers.end()) {
        const bool known = call(commands{}.add("EXISTS", group_key(dead.stream, entry.group))).integer() != 0;
        reader = readers.emplace(entry.group, known).first;
    }
    if (!reader->second) {
        return "no consumer of Sluice reads for this group here; replay it with the software that buried it, or purge "
               "it";
    }
    const auto grave_key = dead_letter_key(dead.stream);
    const auto to = replay_key(dead.stream, entry.group);
    for (int i = 0; i < max_replay_tries; ++i) {
        static_cast<void>(call(commands{}.add("WATCH", grave_key)));
        const auto id = dead.id.text();
        if (call(range("XRANGE", grave_key, id, id, 1)).size() == 0) {
            static_cast<void>(call(commands{}.add("UNWATCH")));
            return "it is gone: somebody else replayed or deleted it meanwhile";
        }
        transaction all;
        auto& move = all.what();
        move.add("XGROUP", "CREATE", to, entry.group, "0", "MKSTREAM");  // an error when it is there
        move.add("XADD", to, "*", data_field, entry.body, original_field, entry.original_entry);
        move.add("XDEL", grave_key, id);
        move.add("HINCRBY", tally_key(dead.stream), entry.group, -1);
        const auto until = answer_due();
        const auto result = run_transaction(link_.open(until), all, until);
        if (result.lost()) continue;  // something else happened to the dead letters
        if (!result.done()) throw outage{first_clause(result.result.text())};
        if (result.result[1].is_error()) throw outage{first_clause(result.result[1].text())};
        return {};
    }
    return "the dead letters of this stream change too fast; try again";
}

letters_outcome redis_operations::purge(const dead_letter_filter& filter) {
    return guarded([&] {
        return for_each(filter, [&](const grave& each) -> std::string {
            const auto removed = call(commands{}.add("XDEL", dead_letter_key(each.stream), each.id.text())).integer();
            if (removed == 0) return "it is gone: somebody else replayed or deleted it meanwhile";
            // A server without memory refuses this; then it is counted anew.
            static_cast<void>(run(commands{}.add("HINCRBY", tally_key(each.stream), each.content.entry.group, -1)));
            return {};
        });
    });
}

/// Counts what nobody has counted yet, and keeps the sums, unless the account or the server's memory do not allow it.
redis_operations::counts redis_operations::tally(const std::string& stream) {
    const auto grave_key = dead_letter_key(stream);
    const auto key = tally_key(stream);
    const auto looked = run(commands{}.add("WATCH", key).add("XLEN", grave_key).add("HGETALL", key).add("TIME"));
    if (looked[1].is_error()) {  // another kind of value has this name
        static_cast<void>(run(commands{}.add("UNWATCH")));
        return {};
    }
    const auto length = looked[1].integer();
    std::map<std::string, std::string, std::less<>> kept;
    for (std::size_t i = 0; i + 1 < looked[2].size(); i += 2)
        kept.emplace(looked[2][i].text(), looked[2][i + 1].text());
    constexpr std::int64_t ms_per_second = 1000;
    std::int64_t seconds = 0;
    const auto told = looked[3][0].text();
    std::from_chars(told.data(), told.data() + told.size(), seconds);
    const auto now = seconds * ms_per_second;

    const auto sum_of = [](const counts& all) {
        std::int64_t sum = 0;
        for (const auto& [group, dead] : all) sum += dead;
        return sum;
    };
    counts found;
    for (const auto& [field, value] : kept) {
        if (!field.starts_with('@') || field == others_name) found.emplace(field, stored_number(kept, field));
    }
    std::string upto = kept.contains(upto_field) ? kept.find(upto_field)->second : std::string{};
    auto recounted = stored_number(kept, recounted_field);
    const auto before = upto;
    if (length == 0) found.clear();
    if (sum_of(found) != length) count_new(stream, found, upto);
    if (sum_of(found) != length && (now - recounted >= recount_pause_ms || now < recounted)) {
        found.clear();
        upto.clear();
        count_new(stream, found, upto);
        recounted = now;
    }
    if (upto == before && recounted == stored_number(kept, recounted_field) && (length != 0 || kept.empty())) {
        static_cast<void>(run(commands{}.add("UNWATCH")));
    } else {
        transaction keep;
        auto& what = keep.what();
        what.add("DEL", key);
        if (length != 0) {
            what.begin(6 + 2 * found.size()).part("HSET").part(key).part(upto_field).part(upto);
            what.part(recounted_field).part(recounted);
            for (const auto& [group, dead] : found) what.part(group).part(dead);
        }
        const auto until = answer_due();
        static_cast<void>(run_transaction(link_.open(until), keep, until));  // lost: somebody else counted, too
    }
    // What was removed by others since the last recount is taken from all alike.
    if (const auto sum = sum_of(found); sum > length) {
        for (auto& [group, dead] : found) dead = dead * length / sum;
    }
    std::erase_if(found, [](const auto& each) { return each.second <= 0; });
    return found;
}

void redis_operations::count_new(const std::string& stream, counts& found, std::string& upto) {
    auto seen = walk(stream, direction::oldest_first, upto.empty() ? "-" : "(" + upto, [&](const grave& each) {
        ++found[each.content.entry.group];
        return true;
    });
    if (seen.others != 0) found[others_name] += seen.others;
    if (!seen.last.empty()) upto = std::move(seen.last);
}

std::vector<group_status> redis_operations::groups() {
    return guarded([&] {
        std::vector<group_status> result;
        for (const auto& stream : streams()) {
            auto dead = tally(stream);
            const auto looked = run(commands{}.add("XLEN", stream).add("XINFO", "GROUPS", stream));
            if (!looked[0].is_error() && !looked[1].is_error()) {
                for (std::size_t i = 0; i < looked[1].size(); ++i) {
                    const auto group = std::string{looked[1][i].field("name").value().text()};
                    const auto buried = dead.extract(group);
                    add_group(stream, looked[0].integer(), looked[1][i], buried.empty() ? 0 : buried.mapped(), result);
                }
            }
            for (const auto& [group, count] : dead) {
                if (group != others_name) result.push_back({.stream = stream, .group = group, .dead = count});
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

std::unique_ptr<stream_walk> redis_operations::walk(std::string_view stream, std::optional<date_time> from) {
    return std::make_unique<redis_walk>([this](const commands& one) { return guarded([&] { return call(one); }); },
                                        stream, from);
}

void redis_operations::add_group(const std::string& stream, std::int64_t length, const reply& group, std::int64_t dead,
                                 std::vector<group_status>& to) {
    group_status status{.stream = stream, .group = std::string{group.field("name").value().text()}};
    status.length = length;
    status.pending = group.field("pending").value().integer();
    status.lag = lag_of(stream, group);
    status.dead = dead;
    status.domain = domain_of(stream, status.group);
    if (const auto shared = run(commands{}.add("GET", namesake_key(stream, status.group))).at(0); shared.is_text()) {
        status.shared_name = shared.text();
    }
    add_replays(status);
    to.push_back(std::move(status));
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
        std::vector<std::string> affected;
        for (auto& stream : streams()) {
            const auto names = names_of_groups(stream);
            if (std::ranges::find(names, from) == names.end()) continue;
            if (std::ranges::find(names, to) != names.end()) throw group_is_taken(to, stream);
            affected.push_back(std::move(stream));
        }
        for (const auto& stream : affected) rename_on(stream, std::string{from}, std::string{to});
        return affected.size();
    });
}

/// The dead letters first, one by one; the rest in one step, so that an interruption leaves a group to repeat it with.
void redis_operations::rename_on(const std::string& stream, const std::string& from, const std::string& to) {
    for (const auto& each : letters_of(stream, from)) rename_letter(each, to);
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
    const auto until = answer_due();
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

std::vector<redis_operations::grave> redis_operations::letters_of(const std::string& stream, std::string_view group) {
    std::vector<grave> letters;
    walk(stream, direction::oldest_first, "-", [&](grave each) {
        if (each.content.entry.group == group) letters.push_back(std::move(each));
        return true;
    });
    return letters;
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
        // The new entry is counted like every one that comes; only the old is missing now.
        all.what().add("HINCRBY", tally_key(dead.stream), dead.content.entry.group, -1);
        const auto until = answer_due();
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
            for (const auto& each : letters_of(stream, name)) {
                static_cast<void>(call(commands{}.add("XDEL", dead_letter_key(stream), each.id.text())));
                static_cast<void>(run(commands{}.add("HINCRBY", tally_key(stream), name, -1)));
            }
            transaction all;
            all.what()
                .add("DEL", attempts_key(stream, name), replay_key(stream, name), group_key(stream, name),
                     readers_key(stream, name), namesake_key(stream, name))
                .add("XGROUP", "DESTROY", stream, name);
            const auto until = answer_due();
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
