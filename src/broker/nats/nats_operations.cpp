#include "broker/nats/nats_operations.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "broker/group_is_taken.hpp"
#include "broker/nats/nats_walk.hpp"
#include "broker/nats/publication.hpp"
#include "broker/partner_name.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::size_t looks_per_id = 4;

/// The stream of JetStream that takes what a stream of ours is called there.
std::optional<std::string> keeper_of(session& on, std::string_view stream, const net::deadline& until) {
    auto names = streams_taking(on, partner_name(stream), until);
    return names.empty() ? std::nullopt : std::optional{std::move(names.front())};
}

std::optional<json::value> consumer_info(session& on, const std::string& stream, const std::string& durable,
                                         const net::deadline& until) {
    auto answer = ask(on, fmt::format("CONSUMER.INFO.{}.{}", stream, durable), nullptr, until);
    if (const auto* error = std::get_if<api_error>(&answer)) {
        if (error->error_code == error_codes::consumer_not_found) return std::nullopt;
        throw outage{"JetStream: " + error->text};
    }
    return std::get<json::value>(std::move(answer));
}

std::int64_t length_of(session& on, const std::string& stream, const std::string& subject, const net::deadline& until) {
    const auto info = ask_well(on, "STREAM.INFO." + stream, json::object{{"subjects_filter", subject}}, until);
    const json::value* const subjects = info.at("state").find("subjects");
    const json::value* const count = subjects == nullptr ? nullptr : subjects->find(subject);
    return count != nullptr && count->is_number() ? count->as_int() : 0;
}

void delete_consumer(session& on, const std::string& stream, const std::string& durable, const net::deadline& until) {
    const auto answer = ask(on, fmt::format("CONSUMER.DELETE.{}.{}", stream, durable), nullptr, until);
    const auto* error = std::get_if<api_error>(&answer);
    if (error != nullptr && error->error_code != error_codes::consumer_not_found) {
        throw outage{"JetStream: " + error->text};
    }
}

}  // namespace

nats_operations::nats_operations(std::shared_ptr<const server> to)
    : to_{std::move(to)},
      link_{to_, "sluice-operations"},
      register_{to_->options().server_time, to_->options().replicas} {}

template <class Action>
auto nats_operations::over_session(Action action) {
    session& on = link_.open(link_.answer_deadline(&haste_));
    const auto until = [&] { return link_.answer_deadline(&haste_); };
    try {
        return action(on, until);
    } catch (const outage& trouble) {
        if (on.closed()) link_.drop();
        throw outage{"nats " + to_->location().name() + ": " + trouble.what()};
    } catch (const decode_error& strange) {
        throw outage{"nats " + to_->location().name() + ": an answer cannot be read: " + strange.what()};
    }
}

group_status nats_operations::status_of(session& on, const register_entry& of, const net::deadline& until) const {
    group_status status{.stream = of.stream, .group = of.group, .domain = of.domain};
    status.shared_name = register_.namesake_of(on, of, until);
    const auto kept_in = keeper_of(on, of.stream, until);
    if (!kept_in) return status;
    status.length = length_of(on, *kept_in, partner_name(of.stream), until);
    if (const auto info = consumer_info(on, *kept_in, consumer_name(of.group, of.stream), until)) {
        status.lag = info->at("num_pending").as_int();
        status.pending = info->at("num_ack_pending").as_int();
    }
    return status;
}

std::vector<group_status> nats_operations::groups() {
    return over_session([&](session& on, const auto& until) {
        std::vector<group_status> all;
        for (const register_entry& each : register_.all(on, until())) all.push_back(status_of(on, each, until()));
        return all;
    });
}

std::vector<known_group> nats_operations::known_groups() {
    return over_session([&](session& on, const auto& until) {
        std::vector<known_group> all;
        for (register_entry& each : register_.all(on, until())) {
            all.push_back(
                {.stream = std::move(each.stream), .group = std::move(each.group), .domain = std::move(each.domain)});
        }
        return all;
    });
}

std::vector<std::string> nats_operations::newest_ids(std::string_view stream, std::size_t limit) {
    return over_session([&](session& on, const auto& until) {
        std::vector<std::string> ids;
        const auto kept_in = keeper_of(on, stream, until());
        const std::string subject = partner_name(stream);
        if (!kept_in || limit == 0) return ids;
        const auto last = last_message_of(on, *kept_in, subject, until());
        if (!last) return ids;
        auto sequence = last->sequence;
        for (std::size_t looks = 0; sequence > 0 && ids.size() < limit && looks < limit * looks_per_id; ++looks) {
            const auto found = message_at(on, *kept_in, sequence--, until());
            if (found && found->subject == subject) ids.emplace_back(own_id_of(found->message_id));
        }
        return ids;
    });
}

std::unique_ptr<stream_walk> nats_operations::walk(std::string_view stream, std::optional<date_time> from) {
    return std::make_unique<nats_walk>(
        [this](const auto& action) { over_session([&](session& on, const auto& until) { action(on, until()); }); },
        stream, from);
}

std::size_t nats_operations::rename_group(std::string_view from, std::string_view to) {
    return over_session([&](session& on, const auto& until) {
        const auto all = register_.all(on, until());
        const auto begins_here = [&](const register_entry& each) { return each.group == from; };
        for (const register_entry& old : all) {
            if (!begins_here(old)) continue;
            const auto taken = std::ranges::find_if(all, [&](const register_entry& each) {
                return each.stream == old.stream && each.group == to && each.renamed_from != from;
            });
            if (taken != all.end()) throw group_is_taken(to, old.stream);
        }
        for (const register_entry& old : all) {
            if (begins_here(old)) rename_on(on, old, std::string{to}, until());
        }
        return static_cast<std::size_t>(std::ranges::count_if(all, begins_here));
    });
}

/// Each step may have been taken before by one that was interrupted.
void nats_operations::rename_on(session& on, const register_entry& old, const std::string& to,
                                const net::deadline& until) const {
    register_entry renamed = register_.look(on, old.stream, to, until);
    renamed.domain = old.domain;
    renamed.claim = old.claim;
    renamed.renamed_from = old.group;
    if (!register_.write(on, renamed, until)) throw group_is_taken(to, old.stream);

    const std::string durable = consumer_name(old.group, old.stream);
    const auto kept_in = keeper_of(on, old.stream, until);
    const auto info = kept_in ? consumer_info(on, *kept_in, durable, until) : std::nullopt;
    if (info) {
        json::object config = info->at("config").as_object();
        const std::string next = consumer_name(to, old.stream);
        config.set("durable_name", next);
        config.erase("name");
        config.erase("opt_start_time");
        config.set("deliver_policy", "by_start_sequence");
        config.set("opt_start_seq", info->at("ack_floor").at("stream_seq").as_int() + 1);
        if (!consumer_info(on, *kept_in, next, until)) {
            static_cast<void>(ask_well(on, fmt::format("CONSUMER.DURABLE.CREATE.{}.{}", *kept_in, next),
                                       json::object{{"stream_name", *kept_in}, {"config", config}}, until));
        }
        delete_consumer(on, *kept_in, durable, until);
    }
    register_.remove(on, old.stream, old.group, until);
}

std::size_t nats_operations::retire_group(std::string_view stream, std::string_view group) {
    return over_session([&](session& on, const auto& until) {
        std::size_t retired = 0;
        for (const register_entry& each : register_.all(on, until())) {
            if (each.group != group || (!stream.empty() && each.stream != stream)) continue;
            if (const auto kept_in = keeper_of(on, each.stream, until())) {
                delete_consumer(on, *kept_in, consumer_name(each.group, each.stream), until());
            }
            register_.remove(on, each.stream, each.group, until());
            ++retired;
        }
        return retired;
    });
}

}  // namespace sluice::broker::nats
