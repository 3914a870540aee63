#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/publisher.hpp"

/// How Sluice's publisher is measured beside the bare library that it stands on, in one run.
namespace sluice::bench {

inline constexpr int keys_of_notes = 1'000;
inline constexpr std::size_t bytes_of_note = 600;

/// Messages with texts of their own. No two objects have ids in common.
class notes {
public:
    explicit notes(int count, int among_keys = keys_of_notes);
    notes(const notes&) = delete;
    notes& operator=(const notes&) = delete;
    ~notes() = default;

    [[nodiscard]] const std::vector<broker::outgoing>& batch() const noexcept { return batch_; }

private:
    std::string body_;
    std::vector<std::string> ids_;
    std::vector<std::string> keys_;
    std::vector<broker::outgoing> batch_;
};

/// Returns when all of a batch is confirmed.
using publish_batch = std::function<void(const std::vector<broker::outgoing>&)>;

/// @throws std::runtime_error from the call, when a message is not delivered
[[nodiscard]] publish_batch through(broker::publisher& to, broker::producer from = {});

/// Messages in a second, by batches of one size.
[[nodiscard]] double per_second(const publish_batch& publish, int messages, int batch, int among_keys = keys_of_notes);

/// Medians of rates.
struct rates {
    double library = 0;
    double sluice = 0;
    double ratio = 0;  ///< of Sluice's to the library's in the same round
};

/// Both by turns, one round more than these: the first is to warm up.
[[nodiscard]] rates compare(int rounds, const std::function<double()>& library, const std::function<double()>& sluice);

/// One line: messages at an even rate, one at a time.
void print_latency(std::string_view name, const publish_batch& publish, int rate, int seconds);

}  // namespace sluice::bench
