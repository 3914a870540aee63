#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::broker::webhook {

/// What an endpoint said to one request. Of a head that came twice the first counts; of `Retry-After` the longest text.
struct answer_head {
    unsigned status = 0;
    std::string retry_after{};
    std::string date{};
    std::string receipt{};                     ///< `sluice-receipt`
    std::optional<duration> keeps_open_for{};  ///< `Keep-Alive: timeout=`
    bool may_be_reused = false;                ///< by what the head says
};

/// Reads the answer to one request from the bytes of a connection. The status is known as soon as its line is: what
/// follows may be too long, malformed or never end, and changes nothing of it. Interim answers (1xx) are passed over.
///
/// Thread safety: used by one thread at a time.
class answer_reader {
public:
    static constexpr std::size_t most_head_bytes = std::size_t{64} << 10U;
    static constexpr std::size_t most_body_bytes = std::size_t{16} << 10U;
    static constexpr int most_interim_answers = 5;

    enum class state {
        waiting,   ///< for more of the head
        in_body,   ///< the head is complete
        complete,  ///< the next request may follow, unless the head says otherwise
        broken     ///< nothing more can be read; the status counts, when there is one
    };

    answer_reader();
    ~answer_reader();
    answer_reader(answer_reader&&) noexcept;
    answer_reader& operator=(answer_reader&&) noexcept;

    /// More bytes of the connection.
    state put(std::string_view bytes);
    /// The connection has ended.
    state put_end();

    [[nodiscard]] state now() const noexcept;
    /// Something came.
    [[nodiscard]] bool has_begun() const noexcept;
    /// The status is 0 until its line was read.
    [[nodiscard]] const answer_head& head() const noexcept;
    /// The beginning of the body, for people.
    [[nodiscard]] const std::string& words() const noexcept;
    /// Why it is broken, one line.
    [[nodiscard]] const std::string& trouble() const noexcept;

private:
    class parser;
    struct progress;

    std::unique_ptr<progress> progress_;
};

}  // namespace sluice::broker::webhook
