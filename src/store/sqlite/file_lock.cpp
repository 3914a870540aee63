#include "store/sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <thread>

namespace sluice::store::sqlite {
namespace {

/// FNV-1a: the same in every build, unlike std::hash. Two keys with one byte only wait for each other.
off_t byte_of(std::string_view key) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    constexpr unsigned unused_bits = 2;  // the sign, and room for the end of the range
    return static_cast<off_t>(hash >> unused_bits);
}

}  // namespace

file_lock::file_lock(const std::filesystem::path& beside, std::string_view key,
                     std::chrono::steady_clock::duration wait)
    : file_{::open((beside.string() + "-locks").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)} {
    if (!file_) return;
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = byte_of(key);
    range.l_len = 1;
    const auto give_up = std::chrono::steady_clock::now() + wait;
    // There is no wait with a deadline. A unit holds the lock for about one commit, so looking often pays.
    for (auto pause = std::chrono::microseconds{100};; pause = std::min(pause * 2, std::chrono::microseconds{3000})) {
        if (::fcntl(file_.get(), F_OFD_SETLK, &range) == 0) {
            result_ = outcome::held;
            return;
        }
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return;
        if (std::chrono::steady_clock::now() >= give_up) {
            result_ = outcome::busy;
            return;
        }
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace sluice::store::sqlite
