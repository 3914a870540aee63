#include "store/sqlite/history.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include <sluice/error.hpp>

#include "store/lane_name.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/ledger_reader.hpp"

namespace sluice::store::sqlite {
namespace {

constexpr std::int64_t shortest_pause_s = 3600;  ///< between two adoptions that nobody has asked for

std::optional<std::string> meta(connection& db, std::string_view key) {
    statement read{db, "SELECT value FROM sluice_meta WHERE key = ?1"};
    auto found = read.query(key);
    if (!found.next()) return std::nullopt;
    return found.text(0);
}

void set_meta(connection& db, std::string_view key, std::string_view value) {
    statement{db, "INSERT INTO sluice_meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2"}
        .run(key, value);
}

std::int64_t number_in_meta(connection& db, std::string_view key) {
    const auto text = meta(db, key).value_or("0");
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string host() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

struct lane_of_file {
    std::string lane;
    sequence mark = 0;
    std::string history;
};

/// Leases that are no lanes have no colon and no rows.
std::vector<lane_of_file> lanes_of(connection& db) {
    std::vector<lane_of_file> lanes;
    statement read{db, "SELECT lane, mark, history FROM lease WHERE instr(lane, ':') > 0 ORDER BY lane"};
    for (auto found = read.query(); found.next();) {
        lanes.push_back({.lane = found.text(0), .mark = found.integer(1), .history = found.text(2)});
    }
    return lanes;
}

}  // namespace

history_stamp ask_history(connection& db) {
    history_stamp stamp{{"incarnation", std::to_string(number_in_meta(db, "incarnation"))}};
    if (const auto& file = db.identity()) stamp.emplace("file", to_string(*file));
    return stamp;
}

database_history ask_who(connection& db, std::string_view name) {
    const auto identity = meta(db, "identity");
    const auto directory = sluice::sqlite::file_identity::at(db.file().parent_path());
    if (!identity) throw store_error{std::string{name} + " has lost its identity (table sluice_meta); restore it"};
    return {
        .identity = *identity,
        .incarnation = static_cast<std::uint64_t>(number_in_meta(db, "incarnation")),
        .domain = meta(db, "domain").value_or(""),
        .place = fmt::format("{} {} {}", host(), directory ? to_string(*directory) : "", db.file().filename().string()),
        .timeline = 0,
        .stamp = ask_history(db)};
}

namespace {

void note(open_below& open, sequence seq) {
    ++open.count;
    open.lowest = open.lowest == 0 ? seq : std::min(open.lowest, seq);
}

void note_open_rows(connection& db, std::string_view lane, sequence mark, std::size_t most_rows, open_below& open) {
    const auto part = shard_of(lane);
    statement read{
        db,
        "SELECT seq, stream FROM (SELECT seq, stream, status FROM outbox_row WHERE target_broker = ?1 AND seq <= ?2"
        " ORDER BY seq DESC LIMIT ?3) WHERE status IN ('pending', 'failed', 'processing')"};
    for (auto found = read.query(broker_of(lane), mark, most_rows); found.next();) {
        if (part.carries(found.view(1))) note(open, found.integer(0));
    }
}

void note_open_events(connection& db, std::string_view lane, sequence mark, std::size_t most_rows, open_below& open) {
    const auto broker = broker_table{db}.find(broker_of(lane));
    if (!broker) return;
    const auto part = shard_of(lane);
    ledger_reader ledger{db};
    ledger.open(broker->number, part);
    statement has_row{db, "SELECT 1 FROM outbox_row WHERE target_broker = ?1 AND seq = ?2"};
    statement read{
        db, "SELECT seq, targets, stream FROM event_log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT ?3"};
    for (auto event = read.query(broker->floor, mark, most_rows); event.next();) {
        const auto seq = event.integer(0);
        if ((event.integer(1) & broker->bit()) == 0 || ledger.lists(seq) || !part.carries(event.view(2))) continue;
        if (!has_row.query(broker->name, seq).next()) note(open, seq);
    }
}

}  // namespace

open_below find_open_below(connection& db, std::string_view lane, sequence mark, std::size_t most_rows) {
    open_below open;
    note_open_rows(db, lane, mark, most_rows, open);
    note_open_events(db, lane, mark, most_rows, open);
    return open;
}

void claim_domain(connection& db, std::string_view domain) {
    if (meta(db, "domain")) return;
    statement{db, "INSERT INTO sluice_meta (key, value) VALUES ('domain', ?1) ON CONFLICT (key) DO NOTHING"}.run(
        domain);
}

adopted begin_incarnation(connection& db, const adoption& how, date_time now) {
    const std::int64_t milliseconds = now.micros() / 1000;
    const std::int64_t seconds = milliseconds / 1000;

    adopted done;
    transaction writing{db, transaction::kind::write};
    if (how.by_itself) {
        const auto last = number_in_meta(db, "adopted_by_itself");
        if (last != 0 && std::abs(seconds - last) < shortest_pause_s) {
            done.refusal = "the database has begun a new incarnation by itself within the last hour";
            return done;
        }
        set_meta(db, "adopted_by_itself", std::to_string(seconds));
    }
    const auto next =
        std::max({milliseconds, number_in_meta(db, "incarnation") + 1, static_cast<std::int64_t>(how.above) + 1});
    set_meta(db, "incarnation", std::to_string(next));
    if (how.copy) db.execute("UPDATE sluice_meta SET value = lower(hex(randomblob(16))) WHERE key = 'identity'");
    if (!how.domain.empty()) set_meta(db, "domain", how.domain);
    // A new grant's epoch is one above.
    statement{db,
              "UPDATE lease SET owner = '', epoch = max(epoch, ?1), expires_at = ?2, rescan = rescan + 1,"
              " detail = 'a new incarnation has begun'"}
        .run(next, to_sql(now));
    for (const auto& [lane, mark, history] : lanes_of(db)) {
        ++done.lanes;
        const auto open = find_open_below(db, lane, mark);
        if (open.count == 0) continue;
        statement{db, "UPDATE lease SET mark = ?2 WHERE lane = ?1"}.run(lane, open.lowest - 1);
        done.reopened += open.count;
    }
    done.incarnation = static_cast<std::uint64_t>(next);
    done.identity = meta(db, "identity").value_or("");
    writing.commit();
    return done;
}

std::vector<history_fault> find_faults(connection& db, std::size_t most_rows) {
    std::vector<history_fault> faults;
    const auto stamp = ask_history(db);
    for (const auto& [lane, mark, history] : lanes_of(db)) {
        if (const auto other = difference_between(stamp_from(history), stamp); !other.empty()) {
            faults.push_back(other_history_fault(lane, other));
        }
        const auto open = find_open_below(db, lane, mark, most_rows);
        if (open.count > 0) faults.push_back(open_below_fault(lane, mark, open.count, open.lowest));
    }
    return faults;
}

}  // namespace sluice::store::sqlite
