#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace sluice::bench {

void append_command(std::string& to, std::initializer_list<std::string_view> words);
[[nodiscard]] inline std::string redis_command(std::initializer_list<std::string_view> words) {
    std::string bytes;
    append_command(bytes, words);
    return bytes;
}

/// The least that speaks RESP, over TCP to this machine. Every failure is a std::runtime_error.
class redis_link {
public:
    explicit redis_link(std::uint16_t port);

    void send(std::string_view bytes) const;

    // What an answer is made of, in order.
    /// Number of its elements; 0 also for none.
    [[nodiscard]] std::int64_t array();
    /// Valid until the next call.
    [[nodiscard]] std::string_view bulk();
    /// Any answer of one line.
    void status();

private:
    [[nodiscard]] std::string_view line();
    [[nodiscard]] std::int64_t number_after(char mark);
    void receive();

    base::unique_fd socket_;
    std::string buffer_;
    std::size_t at_ = 0;
};

}  // namespace sluice::bench
