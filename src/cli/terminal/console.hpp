#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <sluice/json.hpp>

namespace sluice::cli {

/// What a piece of output says; on a terminal it decides the colour.
enum class tone { plain, good, caution, bad, faint, strong };

/// Standard output and standard error of a command.
///
/// Results go to standard output, everything about the command itself to standard error. Thread safety: none.
class console {
public:
    console();

    /// Chooses JSON for results. Errors are then written to standard output too, as `{"error": {"code", "message"}}`.
    void use_json(bool yes) noexcept { json_ = yes; }
    [[nodiscard]] bool json() const noexcept { return json_; }
    /// Colours are for terminals, and not when NO_COLOR is set.
    [[nodiscard]] bool colours() const noexcept { return colours_; }

    void print(std::string_view text) const;
    void print_json(const json::value& result) const;
    /// One line without line breaks, for streams of results; it leaves at once.
    void print_line(const json::value& result) const;

    /// From now on a reader is waited for once, for a second; what it has not taken then is lost, and everything after
    /// it. For a server, which must start, work and stop although nobody reads what it says.
    void wait_for_nobody() const noexcept { manner_ = manner::hasty; }

    void warn(std::string_view message) const;
    void error(std::string_view code, std::string_view message) const;

    /// Asks on the terminal; without one the answer is yes, for scripts have nobody to ask.
    [[nodiscard]] bool confirm(const std::string& question) const;
    /// The same for what cannot be taken back: without a terminal nobody has agreed.
    /// @throws failure (usage) without a terminal: `--yes` must be given
    [[nodiscard]] bool confirm_loss(const std::string& question) const;

    [[nodiscard]] std::string paint(std::string_view text, tone as) const;

    /// @throws failure when standard output could not take everything (a full disk)
    void flush() const;

private:
    void write(std::FILE* to, std::string_view text) const;
    void tell(std::string_view kind, std::string_view message) const;
    [[nodiscard]] bool ask(const std::string& question) const;

    enum class manner { patient, hasty, mute };

    mutable manner manner_ = manner::patient;
    bool json_ = false;
    bool colours_ = false;
};

/// Text of several lines, each made safe to show.
[[nodiscard]] std::string safe_lines(std::string_view text);
/// The same, every line moved right.
[[nodiscard]] std::string indented(std::string_view text, std::size_t columns);

}  // namespace sluice::cli
