#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;
struct redisReply;

/// The Redis protocol, version 2: writing commands, reading replies. No I/O.
namespace sluice::broker::redis {

/// Commands for one pipeline, encoded one behind the other.
///
///     commands{}.add("XADD", stream, "*", "data", body).add("XLEN", stream)
///
/// Thread safety: a value type.
class commands {
public:
    template <class... Parts>
    commands& add(const Parts&... parts) {
        begin(sizeof...(parts));
        (part(parts), ...);
        return *this;
    }
    /// For a command of unknown length: `begin(n)`, then n times `part`.
    commands& begin(std::size_t parts);
    commands& part(std::string_view text);
    template <std::integral Number>
    commands& part(Number number) {
        char digits[24];
        const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
        return part(std::string_view{digits, static_cast<std::size_t>(end - digits)});
    }
    commands& append(const commands& more);

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    /// Keeps the memory for what comes next.
    void clear() noexcept {
        bytes_.clear();
        count_ = 0;
    }

private:
    void header(char kind, std::size_t number);

    std::string bytes_;
    std::size_t count_ = 0;
};

/// One reply, or a part of one, which it keeps alive.
///
/// Asking for what the reply is not throws `outage`: the server does not speak as expected.
///
/// Thread safety: a value type.
class reply {
public:
    explicit reply(std::shared_ptr<const redisReply> root) : root_{std::move(root)} {}

    [[nodiscard]] bool is_nil() const noexcept;
    [[nodiscard]] bool is_error() const noexcept;
    [[nodiscard]] bool is_text() const noexcept;  ///< a bulk or simple string
    [[nodiscard]] bool is_array() const noexcept;
    [[nodiscard]] bool is_status(std::string_view text) const noexcept;  ///< `OK`, `QUEUED`

    /// Of a string or an error. The view lives as long as any copy of this reply.
    [[nodiscard]] std::string_view text() const;
    [[nodiscard]] std::int64_t integer() const;
    /// Number of elements; none for nil.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] reply operator[](std::size_t index) const;
    /// Of a list of alternating names and values, as XINFO gives it; nothing when the name is absent.
    [[nodiscard]] std::optional<reply> field(std::string_view name) const;

private:
    std::shared_ptr<const redisReply> root_;
};

/// Takes bytes as they come and gives the replies in them.
///
/// Thread safety: none.
class reply_reader {
public:
    /// @param max_reply_bytes  a longer reply is an outage: it is not the server's that we think it is
    explicit reply_reader(std::size_t max_reply_bytes = std::numeric_limits<std::size_t>::max());

    /// @throws outage when the reply under way becomes too long
    void feed(std::string_view bytes);
    /// Nothing while the next reply is incomplete. @throws outage when the bytes are not of the protocol
    [[nodiscard]] std::optional<reply> next();

private:
    struct closer {
        void operator()(redisReader* reader) const noexcept;
    };
    std::unique_ptr<redisReader, closer> reader_;
    std::size_t max_reply_bytes_;
    std::size_t unfinished_ = 0;  ///< bytes that came since the last complete reply
};

}  // namespace sluice::broker::redis
