#include "broker/nats/durability.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "broker/nats/group_register.hpp"
#include "broker/nats/jetstream.hpp"
#include "broker/partner_name.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::size_t longest_shown_name = 80;
/// The default lease is shorter than that, and so is a publish.
constexpr std::int64_t least_window_ns = std::int64_t{60} * 1'000'000'000;

std::int64_t limit_in(const json::value& config, std::string_view key) {
    const json::value* const found = config.find(key);
    return found != nullptr && found->is_number() ? found->as_int() : 0;
}

bool has_limit(const json::value& config) {
    return limit_in(config, "max_msgs") > 0 || limit_in(config, "max_bytes") > 0 ||
           limit_in(config, "max_msgs_per_subject") > 0;
}

void add_of_consumers(session& on, std::vector<hazard>& to, const net::deadline& until) {
    for (const register_entry& each : group_register{nullptr}.all(on, until)) {
        for (const std::string& stream : streams_taking(on, partner_name(each.stream), until)) {
            const auto answer = ask(
                on, fmt::format("CONSUMER.INFO.{}.{}", stream, consumer_name(each.group, each.stream)), nullptr, until);
            const auto* info = std::get_if<json::value>(&answer);
            if (info == nullptr) continue;
            for (hazard& found : hazards_of_consumer(stream, info->at("config"))) to.push_back(std::move(found));
        }
    }
}

}  // namespace

std::vector<hazard> hazards_of_stream(const json::value& config) {
    const std::string name = base::one_line(config.string_or("name", ""), longest_shown_name);
    std::vector<hazard> found;
    const auto add = [&](const char* code, std::string_view what, std::string remedy) {
        found.push_back({code, fmt::format("the stream {} of JetStream {}", name, what), std::move(remedy)});
    };
    if (config.string_or("discard", "old") == "old" && has_limit(config)) {
        add("NATS_DISCARDS_OLD",
            "removes its oldest messages when it is full (discard old): messages that it has confirmed are then lost",
            "set discard to new: a full stream then pauses lanes instead");
    }
    if (limit_in(config, "max_age") > 0) {
        add("NATS_MAX_AGE",
            fmt::format("removes messages after {} s (max_age), whether or not they were read",
                        limit_in(config, "max_age") / 1'000'000'000),
            "set max_age to 0, or to more than the longest time that a reader may be away");
    }
    if (config.string_or("storage", "file") == "memory") {
        add("NATS_IN_MEMORY", "keeps its messages in memory: they are lost when the server ends",
            "make the stream anew with storage file");
    }
    if (config.string_or("retention", "limits") == "interest") {
        add("NATS_KEEPS_BY_INTEREST",
            "keeps only what a consumer waits for (retention interest): what is confirmed before a consumer is made is "
            "lost",
            "make the stream anew with retention limits");
    }
    if (config.string_or("retention", "limits") == "workqueue") {
        add("NATS_WORK_QUEUE", "gives each message to one group only and then removes it (retention workqueue)",
            "make the stream anew with retention limits, unless one group is all that reads it");
    }
    const json::value* const no_ack = config.find("no_ack");
    if (no_ack != nullptr && no_ack->is_bool() && no_ack->as_bool()) {
        add("NATS_CONFIRMS_NOTHING", "does not acknowledge what is published (no_ack), so nothing is ever delivered",
            "set no_ack to false");
    }
    if (limit_in(config, "duplicate_window") < least_window_ns) {
        add("NATS_SHORT_DUPLICATE_WINDOW",
            fmt::format(
                "recognises an id for {} ms only (duplicate_window): what is sent again later than that is there "
                "twice",
                limit_in(config, "duplicate_window") / 1'000'000),
            "set duplicate_window to the lease and the longest publish together, at least to 60 s");
    }
    return found;
}

std::vector<hazard> hazards_of_consumer(std::string_view stream, const json::value& config) {
    if (limit_in(config, "max_deliver") <= 0) return {};
    return {{"NATS_MAX_DELIVER",
             fmt::format("the consumer {} of the stream {} gives a message up after {} deliveries (max_deliver)",
                         base::one_line(config.string_or("durable_name", ""), longest_shown_name), stream,
                         limit_in(config, "max_deliver")),
             "let nobody else change consumers of Sluice; its next start sets max_deliver to -1"}};
}

std::vector<hazard> ask_hazards(session& on, std::string_view only_stream, const net::deadline& until) {
    std::vector<hazard> found;
    try {
        for (std::size_t seen = 0;;) {
            const auto page = ask_well(on, "STREAM.LIST", json::object{{"offset", seen}}, until);
            const json::value* const streams = page.find("streams");
            if (streams == nullptr || !streams->is_array() || streams->as_array().empty()) break;
            for (const json::value& each : streams->as_array()) {
                ++seen;
                const json::value& config = each.at("config");
                const std::string name = config.string_or("name", "");
                const bool is_meant =
                    only_stream.empty() ? !name.starts_with("KV_") && !name.starts_with("OBJ_") : name == only_stream;
                if (!is_meant) continue;
                for (hazard& one : hazards_of_stream(config)) found.push_back(std::move(one));
            }
            if (seen >= static_cast<std::size_t>(std::max<std::int64_t>(limit_in(page, "total"), 0))) break;
        }
        add_of_consumers(on, found, until);
    } catch (const decode_error& strange) {
        throw outage{fmt::format("JetStream's list of streams cannot be read: {}", strange.what())};
    }
    return found;
}

}  // namespace sluice::broker::nats
