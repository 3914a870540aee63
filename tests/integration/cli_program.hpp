#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::testing {

/// What a finished program left behind.
struct program_result {
    int code = -1;  ///< exit code, or 128 + the signal that killed it
    std::string out;
    std::string err;  ///< empty for a program on a terminal: both go to `out`
};

struct program_settings {
    std::filesystem::path directory;
    std::map<std::string, std::string> environment{};  ///< on top of a nearly empty one
    bool on_terminal = false;                          ///< a pseudo terminal instead of pipes
    int pipe_bytes = 0;                                ///< of standard error; 0: as usual
    bool first_process = false;                        ///< process 1 of a namespace of its own; root is needed
    bool ignore_hang_up = false;                       ///< as below `nohup`
    std::optional<uid_t> user{};                       ///< who runs it, when the caller is root
};

/// The real `sluice` program as a child process. It is killed when the object goes.
class running_program {
public:
    running_program(const std::vector<std::string>& arguments, const program_settings& settings);
    running_program(const running_program&) = delete;
    running_program& operator=(const running_program&) = delete;
    ~running_program();

    void write(std::string_view text) const;
    void close_input();
    /// Reads nothing more of what it writes, as `head` when it has enough.
    void close_output();
    void signal(int number) const;
    [[nodiscard]] pid_t pid() const noexcept { return child_; }
    /// Reads what comes until standard output or standard error holds `text`. False when it does not come in time
    /// (`long_enough`).
    /// @param times  that it must have come on one of the outputs
    [[nodiscard]] bool wait_for_text(std::string_view text, std::size_t times = 1);
    /// True when the text has been read.
    [[nodiscard]] bool has_text(std::string_view text) const {
        return result_.out.find(text) != std::string::npos || result_.err.find(text) != std::string::npos;
    }
    /// Waits for the end without reading anything. False when it does not come in time.
    [[nodiscard]] bool ends_unread();
    /// Closes the input, reads to the end and returns everything. Kills a program that does not end in time.
    [[nodiscard]] program_result finish();

private:
    using deadline = std::chrono::steady_clock::time_point;
    /// False when both outputs have ended or the time is over.
    bool read_some(deadline until);

    pid_t child_ = -1;
    int status_ = -1;  ///< of a child that was waited for
    int in_ = -1;
    int out_ = -1;
    int err_ = -1;
    program_result result_;
};

/// Runs `sluice` to its end with `input` on standard input.
[[nodiscard]] program_result run_sluice(const std::vector<std::string>& arguments, const program_settings& settings,
                                        std::string_view input = {});

}  // namespace sluice::testing
