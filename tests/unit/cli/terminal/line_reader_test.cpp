#include "cli/terminal/line_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using outcome = line_reader::outcome;

class line_reader_test : public ::testing::Test {
protected:
    line_reader_test() { EXPECT_EQ(pipe(input_.data()), 0); }
    ~line_reader_test() override {
        close_input();
        close(input_[0]);
    }

    void write(std::string_view text) const {
        ASSERT_EQ(::write(input_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    void close_input() {
        if (input_[1] >= 0) close(input_[1]);
        input_[1] = -1;
    }
    [[nodiscard]] int fd() const { return input_[0]; }

    /// All lines until the end; a line that is too long is shown as `!`.
    static std::vector<std::string> all(line_reader& reader) {
        std::vector<std::string> lines;
        std::string_view line;
        while (true) {
            const outcome got = reader.next(line);
            if (got == outcome::end || got == outcome::interrupted) return lines;
            lines.emplace_back(got == outcome::line ? line : "!");
        }
    }

private:
    std::array<int, 2> input_{};
};

TEST_F(line_reader_test, hands_out_lines_without_their_breaks) {
    write("a\nbc\r\n\nlast");
    close_input();
    line_reader reader{fd(), -1, 100};
    EXPECT_THAT(all(reader), ElementsAre("a", "bc", "", "last"));
    EXPECT_EQ(reader.consumed(), 11u);
}

TEST_F(line_reader_test, a_line_may_come_in_pieces) {
    write("one\ntw");
    line_reader reader{fd(), -1, 100};
    std::string_view line;
    ASSERT_EQ(reader.next(line), outcome::line);
    EXPECT_EQ(line, "one");
    const std::jthread writer{[&] {
        write("o\n");
        close_input();
    }};
    ASSERT_EQ(reader.next(line), outcome::line);
    EXPECT_EQ(line, "two");
    EXPECT_EQ(reader.next(line), outcome::end);
}

TEST_F(line_reader_test, skips_what_is_too_long_and_goes_on) {
    const std::jthread writer{[&] {
        write("short\n" + std::string(1'000'000, 'x') + "\nnext\n" + std::string(11, 'y') + "\nlast\n");
        close_input();
    }};
    line_reader reader{fd(), -1, 10};
    EXPECT_THAT(all(reader), ElementsAre("short", "!", "next", "!", "last"));
}

TEST_F(line_reader_test, a_too_long_last_line_is_reported_once) {
    write("a\n" + std::string(50, 'x'));
    close_input();
    line_reader reader{fd(), -1, 10};
    EXPECT_THAT(all(reader), ElementsAre("a", "!"));
}

TEST_F(line_reader_test, an_interrupt_ends_the_wait) {
    std::array<int, 2> interrupt{};
    ASSERT_EQ(pipe(interrupt.data()), 0);
    write("a\n");
    line_reader reader{fd(), interrupt[0], 100};
    std::string_view line;
    EXPECT_EQ(reader.next(line), outcome::line);
    ASSERT_EQ(::write(interrupt[1], "!", 1), 1);
    EXPECT_EQ(reader.next(line), outcome::interrupted);
    close(interrupt[0]);
    close(interrupt[1]);
}

}  // namespace
}  // namespace sluice::cli
