#include "servers/redis_link.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <stdexcept>

namespace sluice::bench {

namespace {

constexpr std::size_t read_size = 65'536;
constexpr std::string_view line_end = "\r\n";

void append_header(std::string& to, char mark, std::size_t number) {
    to += mark;
    to += std::to_string(number);
    to += line_end;
}

}  // namespace

void append_command(std::string& to, std::initializer_list<std::string_view> words) {
    append_header(to, '*', words.size());
    for (const auto word : words) {
        append_header(to, '$', word.size());
        to += word;
        to += line_end;
    }
}

redis_link::redis_link(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error{"Redis does not answer"};
    }
    constexpr int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void redis_link::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) throw std::runtime_error{"Redis is gone"};
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::int64_t redis_link::array() {
    const auto size = number_after('*');
    return size < 0 ? 0 : size;
}

std::string_view redis_link::bulk() {
    const auto size = static_cast<std::size_t>(number_after('$'));
    while (buffer_.size() - at_ < size + line_end.size()) receive();
    const auto begin = at_;
    at_ += size + line_end.size();
    return std::string_view{buffer_}.substr(begin, size);
}

void redis_link::status() { static_cast<void>(line()); }

std::string_view redis_link::line() {
    std::size_t end = 0;
    while ((end = buffer_.find(line_end, at_)) == std::string::npos) receive();
    const auto text = std::string_view{buffer_}.substr(at_, end - at_);
    at_ = end + line_end.size();
    if (text.starts_with('-')) throw std::runtime_error{"Redis: " + std::string{text}};
    return text;
}

std::int64_t redis_link::number_after(char mark) {
    const auto text = line();
    if (text.front() != mark) throw std::runtime_error{"Redis: unexpected " + std::string{text}};
    std::int64_t number = 0;
    std::from_chars(text.data() + 1, text.data() + text.size(), number);
    return number;
}

void redis_link::receive() {
    buffer_.erase(0, at_);
    at_ = 0;
    const auto before = buffer_.size();
    buffer_.resize(before + read_size);
    const auto got = ::recv(socket_.get(), buffer_.data() + before, read_size, 0);
    if (got <= 0) throw std::runtime_error{"Redis is gone"};
    buffer_.resize(before + static_cast<std::size_t>(got));
}

}  // namespace sluice::bench
