#include "observe/line_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "support/eventually.hpp"

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

using ::testing::AnyOf;
using ::testing::StartsWith;

std::string missing(std::uint64_t lines) { return "missing " + std::to_string(lines) + "\n"; }

/// How many lines are missing as the whole text tells it, at however many places.
std::uint64_t told_in(const std::string& text) {
    std::istringstream lines{text};
    std::uint64_t sum = 0;
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view mark = "missing ";
        if (line.starts_with(mark) && line.size() > mark.size() && !lines.eof())
            sum += std::stoull(line.substr(mark.size()));
    }
    return sum;
}

struct pipe_ends {
    pipe_ends() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
        read = base::unique_fd{ends[0]};
        write = base::unique_fd{ends[1]};
    }

    std::string read_until(std::string_view wanted) const {
        return read_until([wanted](const std::string& text) { return text.find(wanted) != std::string::npos; });
    }

    /// Reads until the text is complete, but waits no longer than twenty seconds for more.
    std::string read_until(const std::function<bool(const std::string&)>& is_complete) const {
        std::string text;
        std::array<char, 65536> buffer{};
        while (!is_complete(text)) {
            pollfd waited{.fd = read.get(), .events = POLLIN, .revents = 0};
            constexpr int patience_milliseconds = 20'000;
            if (::poll(&waited, 1, patience_milliseconds) <= 0) break;
            const ssize_t count = ::read(read.get(), buffer.data(), buffer.size());
            if (count <= 0) break;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return text;
    }

    base::unique_fd read;
    base::unique_fd write;
};

TEST(line_writer, writes_lines_in_order) {
    const pipe_ends ends;
    line_writer writer{ends.write.get(), missing};
    writer.write("a\n");
    writer.write("b\n");
    EXPECT_TRUE(writer.flush(20s));
    EXPECT_EQ(ends.read_until("b\n"), "a\nb\n");
}

TEST(line_writer, waits_for_no_reader_and_tells_what_is_missing) {
    const pipe_ends ends;
    line_writer writer{ends.write.get(), missing, {.lines = 100, .bytes = 1'000'000}};
    const std::string line = std::string(1000, 'x') + "\n";
    constexpr std::uint64_t lines = 1000;  // a pipe holds 64 KiB
    for (std::uint64_t i = 0; i < lines; ++i) writer.write(line);
    EXPECT_FALSE(writer.flush(10ms));
    const auto dropped = writer.dropped();
    EXPECT_GT(dropped, 0u);
    EXPECT_LT(dropped, lines);

    const auto text = ends.read_until([dropped](const std::string& so_far) { return told_in(so_far) >= dropped; });
    EXPECT_EQ(told_in(text), dropped);
    EXPECT_THAT(text, AnyOf(StartsWith(line), StartsWith("missing ")));
    EXPECT_TRUE(writer.flush(20s));
}

TEST(line_writer, can_go_while_the_pipe_is_full) {
    const pipe_ends ends;
    auto held = std::make_shared<bool>();  // for as long as the thread has something to tell
    const std::weak_ptr<bool> thread = held;
    {
        line_writer writer{ends.write.get(), [held = std::move(held)](auto count) { return missing(count); }};
        for (int i = 0; i < 100; ++i) writer.write(std::string(1000, 'x') + "\n");
        EXPECT_FALSE(writer.flush(10ms));
    }
    // Before its descriptor does, whose number the next test may get.
    EXPECT_TRUE(sluice::testing::eventually([&] { return thread.expired(); })) << "the thread goes by itself";
}

TEST(line_writer, survives_a_reader_that_is_gone) {
    pipe_ends ends;
    ends.read = base::unique_fd{};
    line_writer writer{ends.write.get(), missing};
    writer.write("a\n");
    EXPECT_TRUE(writer.flush(20s)) << "nothing is left to wait for";
    EXPECT_EQ(writer.dropped(), 1u);
    writer.write("b\n");
    EXPECT_TRUE(writer.flush(20s));
    EXPECT_EQ(writer.dropped(), 2u);
}

TEST(line_writer, survives_a_full_disk) {
    const base::unique_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    line_writer writer{full.get(), missing};
    writer.write("a\n");
    EXPECT_TRUE(writer.flush(20s));
    EXPECT_EQ(writer.dropped(), 1u);
}

TEST(line_writer, goes_on_when_there_is_room_again) {
    const pipe_ends ends;
    const int elsewhere = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    const base::unique_fd to{::dup(elsewhere)};
    ::close(elsewhere);
    line_writer writer{to.get(), missing};
    writer.write("a\n");
    writer.write("b\n");
    EXPECT_TRUE(writer.flush(20s));
    ASSERT_EQ(::dup3(ends.write.get(), to.get(), O_CLOEXEC), to.get());
    writer.write("c\n");
    EXPECT_TRUE(writer.flush(20s));
    EXPECT_EQ(ends.read_until("c\n"), "missing 2\nc\n");
}

TEST(line_writer, survives_a_descriptor_that_is_none) {
    line_writer writer{-1, missing};
    writer.write("a\n");
    EXPECT_TRUE(writer.flush(20s));
    EXPECT_EQ(writer.dropped(), 1u);
}

}  // namespace
}  // namespace sluice::observe
