#include "servers/cpu_meter.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice::bench {

namespace {

/// The fields of /proc/PID/stat behind the program's name, as proc(5) numbers them.
class process_status {
public:
    explicit process_status(int pid) {
        std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
        std::string line;
        if (!std::getline(file, line)) throw std::runtime_error{"there is no process " + std::to_string(pid)};
        std::istringstream rest{line.substr(line.rfind(')') + 1)};
        fields_.assign(std::istream_iterator<std::string>{rest}, {});
    }
    [[nodiscard]] int parent() const { return std::stoi(field(4)); }
    [[nodiscard]] double own_cpu() const { return seconds(14) + seconds(15); }
    [[nodiscard]] double ended_children_cpu() const { return seconds(16) + seconds(17); }

private:
    [[nodiscard]] const std::string& field(std::size_t number) const { return fields_.at(number - 3); }
    [[nodiscard]] double seconds(std::size_t number) const {
        return std::stod(field(number)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

    std::vector<std::string> fields_;
};

}  // namespace

double program_cpu() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

cpu_meter::cpu_meter(const private_postgresql& postgresql, const private_redis& redis)
    : watching_{postgresql.uri()},
      redis_{redis},
      postmaster_{process_status{std::stoi(watching_.scalar("SELECT pg_backend_pid()"))}.parent()},
      processes_{processes()},
      begin_{so_far()} {}

cpu_use cpu_meter::spent() const {
    using namespace std::chrono_literals;
    const auto patience = std::chrono::steady_clock::now() + 10s;
    while (processes() > processes_ && std::chrono::steady_clock::now() < patience) {
        std::this_thread::sleep_for(10ms);
    }
    const auto now = so_far();
    return {now.program - begin_.program, now.postgresql - begin_.postgresql, now.redis - begin_.redis};
}

cpu_use cpu_meter::so_far() const {
    const process_status postgresql{postmaster_};
    return {program_cpu(), postgresql.own_cpu() + postgresql.ended_children_cpu(),
            process_status{redis_.pid()}.own_cpu()};
}

std::size_t cpu_meter::processes() const {
    const auto id = std::to_string(postmaster_);
    std::ifstream children{"/proc/" + id + "/task/" + id + "/children"};
    return static_cast<std::size_t>(std::distance(std::istream_iterator<int>{children}, {}));
}

}  // namespace sluice::bench
