#include "broker/nats/group_register.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/fingerprint.hpp"
#include "broker/nats/acknowledgement.hpp"
#include "broker/nats/subject.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::string_view key_prefix = "$KV.sluice-groups.";
/// No token of ours looks like these.
constexpr std::string_view clock_key = "=clock";
constexpr std::string_view namesake_suffix = ".=namesake";

std::string key_of(std::string_view stream, std::string_view group) {
    return fmt::format("{}{}.{}", key_prefix, token_of(stream), token_of(group));
}

void make_bucket(session& on, std::size_t replicas, const net::deadline& until) {
    const json::object config{{"name", register_stream},
                              {"subjects", json::array{std::string{key_prefix} + '>'}},
                              {"retention", "limits"},
                              {"storage", "file"},
                              {"discard", "new"},
                              {"max_msgs_per_subject", 1},
                              {"max_msgs", -1},
                              {"max_bytes", -1},
                              {"max_consumers", -1},
                              {"num_replicas", replicas},
                              {"allow_rollup_hdrs", true},
                              {"deny_delete", true}};
    const auto answer = ask(on, "STREAM.CREATE." + std::string{register_stream}, config, until);
    const auto* error = std::get_if<api_error>(&answer);
    if (error == nullptr || error->error_code == error_codes::stream_name_in_use) return;
    throw outage{
        fmt::format("JetStream does not make the bucket sluice-groups: {} ({})", error->text, error->error_code)};
}

std::optional<stored_message> last_in_register(session& on, const std::string& subject, const net::deadline& until) {
    return last_message_of(on, std::string{register_stream}, subject, until);
}

}  // namespace

std::string write_register_entry(const register_entry& entry) {
    json::object text{{"stream", entry.stream},
                      {"group", entry.group},
                      {"domain", entry.domain},
                      {"consumer", entry.consumer},
                      {"process", entry.process.id},
                      {"place", entry.process.place},
                      {"claim_ms", std::chrono::duration_cast<std::chrono::milliseconds>(entry.claim).count()}};
    if (!entry.renamed_from.empty()) text.append("renamed_from", entry.renamed_from);
    if (entry.at) text.append("at", entry.at->micros());
    return json::dump(text);
}

std::optional<register_entry> read_register_entry(std::string_view text) {
    try {
        const json::value read = json::parse(text);
        register_entry entry{.stream = read.at("stream").as_string(), .group = read.at("group").as_string()};
        entry.domain = read.string_or("domain", "");
        entry.consumer = read.string_or("consumer", "");
        entry.process = {.id = read.string_or("process", ""), .place = read.string_or("place", "")};
        entry.renamed_from = read.string_or("renamed_from", "");
        entry.claim = std::chrono::milliseconds{read.at("claim_ms").as_int()};
        if (read.contains("at")) entry.at = date_time::from_micros(read.at("at").as_int());
        return entry;
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

std::string consumer_name(std::string_view group, std::string_view stream) {
    constexpr std::size_t longest = 200;  // the server takes 255 bytes
    std::string name = token_of(group) + "=40" + token_of(stream);
    if (name.size() <= longest) return name;
    return fmt::format("{}={:016x}", name.substr(0, longest), base::fingerprint(name));
}

lease_step next_lease_step(const membership& us, const register_entry& there, duration age) {
    if (there.is_free()) return lease_step::take;
    const kinship who = kinship_of(us, there.consumer, there.process);
    if (who == kinship::self || who == kinship::predecessor) return lease_step::take;
    if (age > there.claim) return lease_step::take;
    return who == kinship::namesake ? lease_step::stand_by_as_namesake : lease_step::stand_by;
}

register_entry group_register::entry_in(const stored_message& found) const {
    auto entry = read_register_entry(found.body).value_or(register_entry{});
    entry.revision = found.sequence;
    if (server_time_ == nullptr) entry.at = found.at;
    return entry;
}

register_entry group_register::look(session& on, const std::string& stream, const std::string& group,
                                    const net::deadline& until) const {
    register_entry entry;
    if (const auto found = last_in_register(on, key_of(stream, group), until)) entry = entry_in(*found);
    entry.stream = stream;
    entry.group = group;
    return entry;
}

std::optional<std::uint64_t> group_register::put(session& on, const std::string& key, std::string_view text,
                                                 std::optional<std::uint64_t> after, const net::deadline& until) const {
    envelope::header_list head;
    if (after) head.push_back({.name = "Nats-Expected-Last-Subject-Sequence", .value = std::to_string(*after)});
    constexpr int most_tries = 2;
    for (int tried = 0; tried < most_tries; ++tried) {
        auto said = read_acknowledgement(on.call_with(key, text, head, until));
        if (const auto* in = std::get_if<kept>(&said)) return in->sequence;
        if (std::holds_alternative<nobody_took_it>(said)) {
            make_bucket(on, replicas_, until);
            continue;
        }
        const auto& why = std::get<verdict>(said);
        const auto* no = std::get_if<refused>(&why);
        if (no != nullptr && no->code == fmt::format("nats_{}", error_codes::wrong_last_sequence)) return std::nullopt;
        throw outage{no != nullptr ? no->reason : std::get<unreachable>(why).reason};
    }
    throw outage{"JetStream has no bucket sluice-groups, although it was made"};
}

std::optional<std::uint64_t> group_register::write(session& on, const register_entry& entry,
                                                   const net::deadline& until) const {
    register_entry stamped = entry;
    stamped.at = server_time_ == nullptr ? std::nullopt : std::optional{server_time_->now()};
    return put(on, key_of(entry.stream, entry.group), write_register_entry(stamped), entry.revision, until);
}

void group_register::remove(session& on, const std::string& stream, const std::string& group,
                            const net::deadline& until) const {
    for (const std::string& each : {key_of(stream, group), key_of(stream, group).append(namesake_suffix)}) {
        static_cast<void>(
            ask(on, "STREAM.PURGE." + std::string{register_stream}, json::object{{"filter", each}}, until));
    }
}

std::vector<register_entry> group_register::all(session& on, const net::deadline& until) const {
    const auto answer = ask(on, "STREAM.INFO." + std::string{register_stream},
                            json::object{{"subjects_filter", std::string{key_prefix} + "*.*"}}, until);
    std::vector<register_entry> entries;
    const auto* info = std::get_if<json::value>(&answer);
    const json::value* const state = info == nullptr ? nullptr : info->find("state");
    const json::value* const subjects = state == nullptr ? nullptr : state->find("subjects");
    if (subjects == nullptr || !subjects->is_object()) return entries;
    for (const auto& [subject, count] : subjects->as_object()) {
        const auto found = last_message_of(on, std::string{register_stream}, subject, until);
        if (!found) continue;
        auto entry = entry_in(*found);
        if (!entry.stream.empty()) entries.push_back(std::move(entry));
    }
    return entries;
}

void group_register::note_namesake(session& on, const register_entry& at, const std::string& name,
                                   const net::deadline& until) const {
    static_cast<void>(put(on, key_of(at.stream, at.group).append(namesake_suffix), name, std::nullopt, until));
}

std::string group_register::namesake_of(session& on, const register_entry& at, const net::deadline& until) const {
    const auto found = last_in_register(on, key_of(at.stream, at.group).append(namesake_suffix), until);
    return found ? found->body : std::string{};
}

date_time group_register::now(session& on, const net::deadline& until) const {
    if (server_time_ != nullptr) return server_time_->now();
    // Only what is stored gets a time of the server.
    const std::string key = std::string{key_prefix}.append(clock_key);
    static_cast<void>(put(on, key, "tick", std::nullopt, until));
    const auto found = last_in_register(on, key, until);
    if (!found || !found->at) throw outage{"JetStream does not tell the time of a message"};
    return *found->at;
}

}  // namespace sluice::broker::nats
