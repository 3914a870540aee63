#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "broker/webhook/inbox.hpp"
#include "broker/webhook/incoming.hpp"
#include "broker/webhook/receiver.hpp"

namespace sluice::broker::webhook {

class receiving_connection;

/// What all connections of a receiver share. Everything runs on the thread of its context.
struct receiving_room {
    const receiver_settings& settings;
    const receiving_terms& terms;
    inbox& into;
    std::map<std::uint64_t, receiving_connection*> connections{};
    std::size_t body_bytes = 0;  ///< of all requests whose body is in memory, or will be
};

/// One client. Reads a request, has it stored, answers, and goes on. It lives as long as something is under way for it.
class receiving_connection : public std::enable_shared_from_this<receiving_connection> {
public:
    receiving_connection(boost::asio::ip::tcp::socket socket, receiving_room& room, std::uint64_t number);
    receiving_connection(const receiving_connection&) = delete;
    receiving_connection& operator=(const receiving_connection&) = delete;
    ~receiving_connection();

    void read_head(std::chrono::milliseconds within);
    /// What is under way for it ends at once.
    void drop() { stream_.close(); }
    /// True between two requests, and after the last.
    [[nodiscard]] bool is_idle() const noexcept { return is_idle_; }

private:
    using error_code = boost::system::error_code;
    using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    using response = boost::beast::http::response<boost::beast::http::string_body>;

    void take_head(error_code problem);
    [[nodiscard]] bool reserve_body();
    void release_body() noexcept;
    void read_body();
    void read_rest(error_code problem);
    void take_body(error_code problem);
    void take_verdict(const verdict& said);
    void turn_down(const turned_down& why, bool closes);
    void answer(response said, bool closes);
    void answered(error_code problem, bool closes);

    boost::beast::tcp_stream stream_;
    receiving_room& room_;
    std::uint64_t number_;
    boost::beast::flat_buffer buffer_;
    std::optional<parser> parser_;
    envelope::header_list headers_;
    std::size_t reserved_ = 0;
    int served_ = 0;
    bool is_idle_ = false;
    std::shared_ptr<response> response_;
};

}  // namespace sluice::broker::webhook
