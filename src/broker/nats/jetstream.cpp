#include "broker/nats/jetstream.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/base64.hpp"
#include "base/one_line.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::size_t longest_error = 200;
constexpr std::string_view api_prefix = "$JS.API.";

std::int64_t whole_or(const json::value& in, std::string_view key, std::int64_t otherwise) {
    const json::value* const found = in.find(key);
    return found != nullptr && found->is_number() ? found->as_int() : otherwise;
}

std::optional<stored_message> stored_in(const api_answer& answer) {
    if (const auto* error = std::get_if<api_error>(&answer)) {
        if (error->error_code == error_codes::no_message_found) return std::nullopt;
        if (error->error_code == error_codes::stream_not_found) return std::nullopt;
        throw outage{error->text};
    }
    const json::value& message = std::get<json::value>(answer).at("message");
    stored_message found{.subject = message.at("subject").as_string(),
                         .sequence = static_cast<std::uint64_t>(message.at("seq").as_int())};
    if (message.contains("data")) found.body = base::base64_decode(message.at("data").as_string());
    if (message.contains("hdrs")) {
        found.message_id = header_in(base::base64_decode(message.at("hdrs").as_string()), "Nats-Msg-Id");
    }
    if (message.contains("time")) found.at = date_time::parse(message.at("time").as_string());
    return found;
}

/// @throws outage  what is read is not as JetStream writes it
template <class Reading>
auto readable(const std::string& stream, Reading reading) {
    try {
        return reading();
    } catch (const decode_error& strange) {
        throw outage{fmt::format("JetStream's answer on a message of {} cannot be read: {}", stream, strange.what())};
    }
}

std::optional<stored_message> stored_message_by(session& on, const std::string& stream, json::object which,
                                                const net::deadline& until) {
    const auto answer = ask(on, "STREAM.MSG.GET." + stream, std::move(which), until);
    return readable(stream, [&] { return stored_in(answer); });
}

}  // namespace

api_answer read_answer(std::string_view text) {
    try {
        json::value answer = json::parse(text);
        const json::value* const error = answer.find("error");
        if (error == nullptr) return answer;
        return api_error{.code = static_cast<int>(whole_or(*error, "code", 0)),
                         .error_code = static_cast<int>(whole_or(*error, "err_code", 0)),
                         .text = base::one_line(error->string_or("description", "an error"), longest_error)};
    } catch (const decode_error& strange) {
        throw outage{fmt::format("JetStream's answer cannot be read: {}", strange.what())};
    }
}

api_answer ask(session& on, std::string_view what, const json::value& body, const net::deadline& until) {
    const std::string text = body.is_null() ? std::string{} : json::dump(body);
    return read_answer(on.call(std::string{api_prefix}.append(what), text, until).data);
}

json::value ask_well(session& on, std::string_view what, const json::value& body, const net::deadline& until) {
    auto answer = ask(on, what, body, until);
    if (const auto* error = std::get_if<api_error>(&answer)) {
        throw outage{fmt::format("JetStream ({}): {} ({})", what, error->text, error->error_code)};
    }
    return std::get<json::value>(std::move(answer));
}

std::vector<std::string> streams_taking(session& on, std::string_view subject, const net::deadline& until) {
    const json::value answer = ask_well(on, "STREAM.NAMES", json::object{{"subject", subject}}, until);
    std::vector<std::string> names;
    const json::value* const found = answer.find("streams");
    if (found == nullptr || !found->is_array()) return names;
    for (const json::value& each : found->as_array()) {
        if (each.is_string()) names.push_back(each.as_string());
    }
    return names;
}

std::optional<stored_message> message_at(session& on, const std::string& stream, std::uint64_t sequence,
                                         const net::deadline& until) {
    return stored_message_by(on, stream, {{"seq", sequence}}, until);
}

std::optional<stored_message> last_message_of(session& on, const std::string& stream, const std::string& subject,
                                              const net::deadline& until) {
    return stored_message_by(on, stream, {{"last_by_subj", subject}}, until);
}

std::optional<stored_message> next_message_of(session& on, const std::string& stream, const std::string& subject,
                                              std::uint64_t from, const net::deadline& until) {
    auto found = stored_message_by(on, stream, {{"seq", from}, {"next_by_subj", subject}}, until);
    return found && found->subject == subject ? std::move(found) : std::nullopt;
}

std::vector<stored_message> messages_from(session& on, const std::string& stream, std::uint64_t first,
                                          std::size_t count, const net::deadline& until) {
    const std::string subject = std::string{api_prefix} + "STREAM.MSG.GET." + stream;
    std::map<std::string, std::optional<stored_message>> answers;
    {
        const session::gathering together{on};
        for (std::size_t i = 0; i < count; ++i) {
            const auto sequence = first + i;
            std::string token = fmt::format("g{}", sequence);
            on.send(subject, token, json::dump(json::object{{"seq", sequence}}));
            answers.emplace(std::move(token), std::nullopt);
        }
    }
    for (std::size_t missing = count; missing > 0;) {
        const auto answer = on.next();
        if (!answer) {
            if (const auto why = on.closed()) throw outage{*why};
            if (!on.wait(until)) throw outage{"JetStream does not hand over the messages of " + stream + " in time"};
            continue;
        }
        const auto asked = answers.find(answer->token);
        if (asked == answers.end()) continue;
        --missing;
        asked->second = readable(stream, [&] { return stored_in(read_answer(answer->data)); });
    }
    std::vector<stored_message> found;
    found.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (auto& each = answers.at(fmt::format("g{}", first + i))) found.push_back(*std::move(each));
    }
    return found;
}

stream_extent extent_of(session& on, const std::string& stream, const net::deadline& until) {
    const auto info = ask_well(on, "STREAM.INFO." + stream, nullptr, until);
    const json::value& state = info.at("state");
    return {.first = static_cast<std::uint64_t>(state.at("first_seq").as_int()),
            .last = static_cast<std::uint64_t>(state.at("last_seq").as_int()),
            .keeps_by_limits = info.at("config").string_or("retention", "limits") == "limits"};
}

std::string header_in(std::string_view block, std::string_view name) {
    while (!block.empty()) {
        const auto end = std::min(block.find("\r\n"), block.size());
        auto line = block.substr(0, end);
        block.remove_prefix(std::min(end + 2, block.size()));
        if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != ':') continue;
        line.remove_prefix(name.size() + 1);
        while (line.starts_with(' ')) line.remove_prefix(1);
        return std::string{line};
    }
    return {};
}

std::string stream_name_for(std::string_view subject) {
    std::string name{subject};
    std::ranges::replace(name, '.', '_');
    std::ranges::replace(name, '/', '_');
    std::ranges::replace(name, '\\', '_');
    return name;
}

json::value nanoseconds(duration time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(); }

void create_stream(session& on, const stream_wish& wish, const net::deadline& until) {
    const std::string name = stream_name_for(wish.subject);
    const json::object config{{"name", name},
                              {"subjects", json::array{wish.subject}},
                              {"retention", "limits"},
                              {"storage", "file"},
                              {"discard", "new"},
                              {"max_consumers", -1},
                              {"max_msgs", -1},
                              {"max_bytes", -1},
                              {"max_age", 0},
                              {"max_msg_size", -1},
                              {"num_replicas", wish.replicas},
                              {"duplicate_window", nanoseconds(wish.duplicate_window)}};
    const auto answer = ask(on, "STREAM.CREATE." + name, config, until);
    const auto* error = std::get_if<api_error>(&answer);
    if (error == nullptr) return;
    // Somebody else was faster, with whatever settings.
    if (error->error_code == error_codes::stream_name_in_use) return;
    throw outage{fmt::format("JetStream does not make the stream {}: {} ({})", name, error->text, error->error_code)};
}

}  // namespace sluice::broker::nats
