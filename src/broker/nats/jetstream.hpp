#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "broker/nats/session.hpp"

/// What JetStream is asked, and what it answers: its requests are JSON to subjects below `$JS.API`.
namespace sluice::broker::nats {

/// JetStream answered, and does not do it.
struct api_error {
    int code = 0;        ///< as in HTTP
    int error_code = 0;  ///< JetStream's own, 10000 and above
    std::string text;    ///< one line, bounded
};

namespace error_codes {
inline constexpr int consumer_not_found = 10014;
inline constexpr int no_message_found = 10037;
inline constexpr int message_too_large = 10054;
inline constexpr int stream_name_in_use = 10058;
inline constexpr int stream_not_found = 10059;
inline constexpr int other_stream_expected = 10060;
inline constexpr int wrong_last_sequence = 10071;
inline constexpr int storing_failed = 10077;
inline constexpr int stream_sealed = 10109;
}  // namespace error_codes

using api_answer = std::variant<json::value, api_error>;

/// Of the text of an answer. Pure. @throws outage  it is no answer of JetStream
[[nodiscard]] api_answer read_answer(std::string_view text);

/// @param what  behind `$JS.API.`
/// @param body  null: the request has none
/// @throws outage
[[nodiscard]] api_answer ask(session& on, std::string_view what, const json::value& body, const net::deadline& until);
/// The same where an error is an outage. @throws outage with its text
[[nodiscard]] json::value ask_well(session& on, std::string_view what, const json::value& body,
                                   const net::deadline& until);

/// The streams that take a subject. @throws outage
[[nodiscard]] std::vector<std::string> streams_taking(session& on, std::string_view subject,
                                                      const net::deadline& until);

/// A message that a stream keeps.
struct stored_message {
    std::string subject;
    std::uint64_t sequence = 0;
    std::string message_id{};  ///< `Nats-Msg-Id`; empty: none
    std::string body{};
    std::optional<date_time> at{};
};
/// Nothing when it is not there (any more). @throws outage
[[nodiscard]] std::optional<stored_message> message_at(session& on, const std::string& stream, std::uint64_t sequence,
                                                       const net::deadline& until);
/// The messages at `count` sequences from `first` on, asked for together; those that are not there are left out.
/// @throws outage
[[nodiscard]] std::vector<stored_message> messages_from(session& on, const std::string& stream, std::uint64_t first,
                                                        std::size_t count, const net::deadline& until);
/// The first one of a subject, at this sequence or behind it. A server before 2.9 knows only what is at it.
[[nodiscard]] std::optional<stored_message> next_message_of(session& on, const std::string& stream,
                                                            const std::string& subject, std::uint64_t from,
                                                            const net::deadline& until);
/// The last one of a subject.
[[nodiscard]] std::optional<stored_message> last_message_of(session& on, const std::string& stream,
                                                            const std::string& subject, const net::deadline& until);

/// What a stream keeps, and by which rule.
struct stream_extent {
    std::uint64_t first = 0;  ///< sequence of the first message; one above `last` when there is none
    std::uint64_t last = 0;
    bool keeps_by_limits = true;  ///< whoever has read it
};
/// @throws outage
[[nodiscard]] stream_extent extent_of(session& on, const std::string& stream, const net::deadline& until);

/// The value of a header in a block as it travels: `NATS/1.0\r\nname: value\r\n\r\n`. Pure.
[[nodiscard]] std::string header_in(std::string_view block, std::string_view name);

/// How a stream is made for a subject of ours: on disk, refusing what is too much, and remembering ids for a while.
struct stream_wish {
    std::string subject;
    std::size_t replicas = 1;
    duration duplicate_window;
};
/// A name that JetStream takes: `shop.order` becomes `shop_order`. Pure.
[[nodiscard]] std::string stream_name_for(std::string_view subject);
/// Makes it unless it is there. @throws outage
void create_stream(session& on, const stream_wish& wish, const net::deadline& until);

/// JSON's number of nanoseconds.
[[nodiscard]] json::value nanoseconds(duration time);

}  // namespace sluice::broker::nats
