#include "cli/terminal/line_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sluice::cli {

namespace {

constexpr std::size_t chunk = std::size_t{64} << 10;

std::system_error input_failed() { return {errno, std::generic_category(), "standard input cannot be read"}; }

}  // namespace

line_reader::outcome line_reader::next(std::string_view& line) {
    while (true) {
        const auto end = buffer_.find('\n', scanned_);
        if (end != std::string::npos) {
            line = std::string_view{buffer_}.substr(begin_, end - begin_);
            consumed_ += line.size() + 1;
            begin_ = scanned_ = end + 1;
            const bool skipped = std::exchange(skipping_, false);
            if (skipped || line.size() > longest_line_) return outcome::too_long;
            if (line.ends_with('\r')) line.remove_suffix(1);
            return outcome::line;
        }
        scanned_ = buffer_.size();
        if (scanned_ - begin_ > longest_line_) {
            skipping_ = true;
            consumed_ += scanned_ - begin_;
            begin_ = scanned_;
        }
        switch (fill()) {
            case filled::more:
                break;
            case filled::interrupted:
                return outcome::interrupted;
            case filled::end:
                line = std::string_view{buffer_}.substr(begin_);
                consumed_ += line.size();
                begin_ = scanned_ = buffer_.size();
                if (std::exchange(skipping_, false)) return outcome::too_long;
                return line.empty() ? outcome::end : outcome::line;
        }
    }
}

line_reader::filled line_reader::fill() {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    while (true) {
        std::array<pollfd, 2> waited{
            {{.fd = fd_, .events = POLLIN, .revents = 0}, {.fd = interrupt_fd_, .events = POLLIN, .revents = 0}}};
        if (poll(waited.data(), waited.size(), -1) < 0) {
            if (errno == EINTR) continue;
            throw input_failed();
        }
        if (waited[1].revents != 0) return filled::interrupted;
        const std::size_t size = buffer_.size();
        buffer_.resize(size + chunk);
        const ssize_t got = read(fd_, buffer_.data() + size, chunk);
        buffer_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got > 0) return filled::more;
        if (got == 0) return filled::end;
        if (errno != EINTR && errno != EAGAIN) throw input_failed();
    }
}

}  // namespace sluice::cli
