#include "support/freeze.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/eventually.hpp"

namespace sluice::testing {
namespace {

/// The letter behind the name, which is in parentheses and may contain some: proc(5), /proc/pid/stat. A thread that has
/// ended is as good as a stopped one.
bool is_stopped(const std::filesystem::path& thread) {
    std::ifstream from{thread / "stat"};
    const std::string text{std::istreambuf_iterator<char>{from}, {}};
    const auto name_end = text.rfind(')');
    return name_end == std::string::npos || std::string_view{"TtZX"}.find(text.at(name_end + 2)) != std::string::npos;
}

bool all_stopped(pid_t process) {
    std::error_code gone;
    for (std::filesystem::directory_iterator each{"/proc/" + std::to_string(process) + "/task", gone}, end;
         !gone && each != end; each.increment(gone)) {
        if (!is_stopped(each->path())) return false;
    }
    return true;
}

}  // namespace

void freeze_process(pid_t process) {
    ::kill(process, SIGSTOP);
    if (!eventually([process] { return all_stopped(process); })) {
        throw std::runtime_error{"process " + std::to_string(process) + " does not stop"};
    }
}

}  // namespace sluice::testing
