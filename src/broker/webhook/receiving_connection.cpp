#include "broker/webhook/receiving_connection.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include <sluice/json.hpp>

#include "base/names.hpp"
#include "net/first_chunk.hpp"
#include "net/linger.hpp"
#include "observe/log.hpp"

namespace sluice::broker::webhook {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t most_incoming_head_bytes = 32'768;
constexpr int most_requests = 10'000;  // of one connection
constexpr const char* retry_seconds = "2";

std::string_view plain_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

envelope::header_list header_list_of(const http::fields& fields) {
    envelope::header_list list;
    for (const auto& each : fields) {
        list.push_back(
            {.name = base::lower(plain_view(each.name_string())), .value = std::string{plain_view(each.value())}});
    }
    return list;
}

std::string error_body(std::string_view reason) { return json::dump(json::object{{"error", std::string{reason}}}); }

}  // namespace

receiving_connection::receiving_connection(asio::ip::tcp::socket socket, receiving_room& room, std::uint64_t number)
    : stream_{std::move(socket)}, room_{room}, number_{number}, buffer_{most_incoming_head_bytes} {
    room_.connections.emplace(number_, this);
}

receiving_connection::~receiving_connection() {
    release_body();
    room_.connections.erase(number_);
}

void receiving_connection::read_head(std::chrono::milliseconds within) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(most_incoming_head_bytes));
    parser_->body_limit(room_.settings.max_message_bytes);
    is_idle_ = true;
    stream_.expires_after(within);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code problem, std::size_t) { self->take_head(problem); });
}

void receiving_connection::take_head(error_code problem) {
    is_idle_ = false;
    if (problem == http::error::body_limit) {
        return turn_down({413, fmt::format("a body may have {} bytes", room_.settings.max_message_bytes)}, true);
    }
    if (problem == http::error::header_limit || problem == http::error::buffer_overflow) {
        return turn_down({431, fmt::format("a head may have {} bytes", most_incoming_head_bytes)}, true);
    }
    if (problem.category() == make_error_code(http::error::bad_method).category() &&
        problem != http::error::end_of_stream && problem != http::error::partial_message) {
        return turn_down({400, "this is no HTTP"}, true);
    }
    if (problem) return;  // the client is gone, or was too slow

    const auto& request = parser_->get();
    headers_ = header_list_of(request);
    const incoming_head head{
        .method = plain_view(request.method_string()), .target = plain_view(request.target()), .headers = headers_};
    // The body is on its way, and nobody reads it: after such an answer the connection is closed.
    if (const auto no = why_not_read(head, room_.terms)) return turn_down(*no, !parser_->is_done());
    if (!reserve_body()) return turn_down({503, "too many bodies are under way"}, true);
    if (!boost::beast::iequals(request[http::field::expect], "100-continue")) return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(room_.settings.request_time);
    asio::async_write(stream_, asio::buffer(go_on), [self = shared_from_this()](error_code failure, std::size_t) {
        if (!failure) self->read_body();
    });
}

/// The largest that it may be, when nobody says how large it is.
bool receiving_connection::reserve_body() {
    const auto length = parser_->content_length();
    const std::size_t wanted = length               ? static_cast<std::size_t>(*length)
                               : parser_->is_done() ? 0
                                                    : room_.settings.max_message_bytes;
    if (room_.body_bytes != 0 && room_.body_bytes + wanted > room_.settings.max_body_bytes) return false;
    reserved_ = wanted;
    room_.body_bytes += wanted;
    return true;
}

void receiving_connection::release_body() noexcept { room_.body_bytes -= std::exchange(reserved_, 0); }

void receiving_connection::read_body() {
    constexpr std::size_t least_bytes_a_second = 65'536;
    stream_.expires_after(room_.settings.request_time + std::chrono::seconds{reserved_ / least_bytes_a_second});
    if (!parser_->chunked()) return read_rest({});
    net::async_read_first_chunk(stream_, buffer_,
                                [self = shared_from_this()](error_code problem) { self->read_rest(problem); });
}

void receiving_connection::read_rest(error_code problem) {
    if (problem) return take_body(problem);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code failure, std::size_t) { self->take_body(failure); });
}

void receiving_connection::take_body(error_code problem) {
    if (problem == http::error::body_limit) {
        return turn_down({413, fmt::format("a body may have {} bytes", room_.settings.max_message_bytes)}, true);
    }
    if (problem) return;
    auto& request = parser_->get();
    const incoming_head head{
        .method = plain_view(request.method_string()), .target = plain_view(request.target()), .headers = headers_};
    auto judged = receive(head, std::move(request.body()), room_.terms, room_.settings.time->now());
    if (const auto* no = std::get_if<turned_down>(&judged)) return turn_down(*no, false);

    stream_.expires_never();  // the inbox has a time of its own
    auto then = [self = shared_from_this()](const verdict& said) {
        asio::post(self->stream_.get_executor(), [self, said] { self->take_verdict(said); });
    };
    if (!room_.into.put(std::get<received_message>(std::move(judged)), std::move(then))) {
        turn_down({503, "too many messages wait to be stored"}, false);
    }
}

void receiving_connection::take_verdict(const verdict& said) {
    if (const auto* kept = std::get_if<delivered>(&said)) {
        response good{http::status::ok, 11};
        good.set("sluice-receipt", kept->receipt);
        return answer(std::move(good), false);
    }
    if (const auto* no = std::get_if<refused>(&said)) return turn_down({422, no->reason}, false);
    observe::log(observe::level::warn, "webhook.not_stored", {{"reason", std::get<unreachable>(said).reason}});
    turn_down({503, "it cannot be stored now"}, false);
}

void receiving_connection::turn_down(const turned_down& why, bool closes) {
    response no{static_cast<http::status>(why.status), 11};
    no.set(http::field::content_type, "application/json");
    if (no.result() == http::status::method_not_allowed) no.set(http::field::allow, "POST");
    if (no.result() == http::status::service_unavailable) no.set(http::field::retry_after, retry_seconds);
    no.body() = error_body(why.reason);
    answer(std::move(no), closes);
}

void receiving_connection::answer(response said, bool closes) {
    release_body();
    closes = closes || ++served_ >= most_requests || !parser_->is_header_done() || !parser_->keep_alive();
    said.keep_alive(!closes);
    if (!closes) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(room_.settings.idle_time).count();
        said.set(http::field::keep_alive, fmt::format("timeout={}", seconds));
    }
    said.prepare_payload();
    response_ = std::make_shared<response>(std::move(said));
    stream_.expires_after(room_.settings.request_time);
    http::async_write(stream_, *response_, [self = shared_from_this(), closes](error_code problem, std::size_t) {
        self->answered(problem, closes);
    });
}

void receiving_connection::answered(error_code problem, bool closes) {
    if (problem) return;
    if (!closes) return read_head(room_.settings.idle_time);
    is_idle_ = true;
    net::linger({shared_from_this(), &stream_});
}

}  // namespace sluice::broker::webhook
