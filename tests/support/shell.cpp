#include "support/shell.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

namespace sluice::testing {

std::string shell_word(const std::string& word) {
    std::string result = "'";
    for (const char c : word) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

std::string run_command(const std::string& command) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen((command + " 2>&1").c_str(), "r"),
                                                               [](std::FILE*) { return 0; }};
    if (!pipe) throw std::runtime_error{"cannot run " + command};
    std::string output;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
        if (got == 0) break;
        output.append(buffer.data(), got);
    }
    if (::pclose(pipe.get()) != 0) throw std::runtime_error{command + ": " + output};
    if (output.ends_with('\n')) output.pop_back();
    return output;
}

}  // namespace sluice::testing
