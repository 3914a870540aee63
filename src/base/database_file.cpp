#include "base/database_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <system_error>

namespace sluice::base {
namespace {

std::filesystem::path with_ending(const std::filesystem::path& file, const char* ending) {
    std::filesystem::path whole = file;
    whole += ending;
    return whole;
}

/// Of a URI that SQLite reads: its path may hold neither `?` nor `#` nor `%`.
std::string uri_encoded(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : path) {
        if (c == '?' || c == '#' || c == '%') {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
        } else {
            encoded += c;
        }
    }
    return encoded;
}

}  // namespace

void make_private_file(const std::filesystem::path& file) noexcept {
    static_cast<void>(::mknod(file.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0));
}

bool is_write_protected(const std::filesystem::path& file) noexcept {
    if (::access(file.c_str(), R_OK) != 0) return false;
    try {
        const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
        return ::access(file.c_str(), W_OK) != 0 || ::access(directory.c_str(), W_OK) != 0;
    } catch (...) {
        return false;
    }
}

std::string read_only_uri(const std::filesystem::path& file) {
    std::error_code ignored;
    const bool is_in_use = std::filesystem::exists(write_ahead_log_of(file), ignored);
    return "file:" + uri_encoded(std::filesystem::absolute(file, ignored).native()) +
           (is_in_use ? "?mode=ro" : "?mode=ro&immutable=1");
}

std::filesystem::path write_ahead_log_of(const std::filesystem::path& file) { return with_ending(file, "-wal"); }
std::filesystem::path shared_memory_of(const std::filesystem::path& file) { return with_ending(file, "-shm"); }

}  // namespace sluice::base
