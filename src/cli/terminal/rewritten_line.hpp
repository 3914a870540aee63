#pragma once

#include <chrono>
#include <string>

namespace sluice::cli {

/// One line on standard error that is rewritten in place, at most ten times a second. Without a terminal: silent.
///
/// Thread safety: none.
class rewritten_line {
public:
    rewritten_line();
    rewritten_line(const rewritten_line&) = delete;
    rewritten_line& operator=(const rewritten_line&) = delete;
    ~rewritten_line() { clear(); }

    /// @param text  returns the new line; asked only when it is time for one
    template <class Text>
    void update(Text text) {
        if (is_due()) show(text());
    }
    /// Takes the line away, so that something else can be written.
    void clear() noexcept;
    /// Since the line was made.
    [[nodiscard]] std::chrono::duration<double> elapsed() const { return std::chrono::steady_clock::now() - begin_; }

private:
    [[nodiscard]] bool is_due();
    void show(const std::string& text);

    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_;
    bool on_terminal_;
    bool visible_ = false;
};

}  // namespace sluice::cli
