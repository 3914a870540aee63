// A disk that keeps what was flushed and nothing else, for a program that this library is loaded into (LD_PRELOAD).
//
// Before a file below POWER_CUT_WATCHED is changed, what it held there goes into a note in POWER_CUT_NOTES, and a flush
// of the file throws its notes away. When every process is dead, giving back what the notes say (`pull_the_plug` in
// hostile_disk_test.cpp) leaves the files as a power failure may leave them.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "integration/disk/power_cut.hpp"

namespace {

using sluice::testing::power_cut_note;

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

ssize_t real_pwrite(int fd, const void* data, std::size_t size, off_t at) {
    static const auto next = real<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite64");
    return next(fd, data, size, at);
}

ssize_t real_write(int fd, const void* data, std::size_t size) {
    static const auto next = real<ssize_t (*)(int, const void*, std::size_t)>("write");
    return next(fd, data, size);
}

/// The note of a watched file, locked; -1 for any other file.
class open_note {
public:
    explicit open_note(int fd) {
        struct stat about {};
        if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return;
        static const std::string watched = std::getenv("POWER_CUT_WATCHED");
        static const std::string notes = std::getenv("POWER_CUT_NOTES");
        std::array<char, 4096> path{};
        const auto link = "/proc/self/fd/" + std::to_string(fd);
        const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
        const std::string name{path.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
        if (!name.starts_with(watched) || name.ends_with("-shm")) return;
        size_ = about.st_size;
        std::string flat = name;
        for (char& c : flat) c = c == '/' ? '%' : c;
        fd_ = ::open((notes + "/" + flat).c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ::flock(fd_, LOCK_EX);
    }
    open_note(const open_note&) = delete;
    open_note& operator=(const open_note&) = delete;
    ~open_note() {
        if (fd_ >= 0) ::close(fd_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

    /// What `size` bytes at `at` of the file are before they change.
    void take_down(int fd, off_t at, std::size_t size) const {
        std::vector<char> before(size);
        const ssize_t there = ::pread(fd, before.data(), size, at);
        const power_cut_note note{.at = at, .length = there < 0 ? 0 : there, .file_size = size_};
        static_cast<void>(real_write(fd_, &note, sizeof note));
        static_cast<void>(real_write(fd_, before.data(), static_cast<std::size_t>(note.length)));
    }
    void forget() const { static_cast<void>(::syscall(SYS_ftruncate, fd_, 0)); }

private:
    int fd_ = -1;
    off_t size_ = 0;
};

ssize_t noted_write(int fd, const void* data, std::size_t size, off_t at) {
    const open_note note{fd};
    if (note) note.take_down(fd, at, size);
    return real_pwrite(fd, data, size, at);
}

int noted_truncate(int fd, off_t length) {
    static const auto next = real<int (*)(int, off_t)>("ftruncate64");
    const open_note note{fd};
    struct stat about {};
    if (note && ::fstat(fd, &about) == 0 && about.st_size > length) {
        note.take_down(fd, length, static_cast<std::size_t>(about.st_size - length));
    }
    return next(fd, length);
}

int noted_flush(int fd) {
    const open_note note{fd};
    if (note) note.forget();
    return 0;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the names of the C library
extern "C" {
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) { return noted_write(fd, data, size, at); }
ssize_t pwrite64(int fd, const void* data, std::size_t size, off_t at) { return noted_write(fd, data, size, at); }
ssize_t write(int fd, const void* data, std::size_t size) {
    const open_note note{fd};
    if (note) note.take_down(fd, ::lseek(fd, 0, SEEK_CUR), size);
    return real_write(fd, data, size);
}
int ftruncate(int fd, off_t length) noexcept { return noted_truncate(fd, length); }
int ftruncate64(int fd, off_t length) noexcept { return noted_truncate(fd, length); }
int fsync(int fd) { return noted_flush(fd); }
int fdatasync(int fd) { return noted_flush(fd); }
}
// NOLINTEND(readability-identifier-naming)
