#include "consume/circuit_breaker.hpp"

namespace sluice::consume {

void circuit_breaker::half_open() noexcept {
    if (state_ == state::open) state_ = state::half_open;
}

void circuit_breaker::handed_out(std::size_t source, std::string_view entry) {
    if (state_ == state::half_open && !probe_) probe_.emplace(source, entry);
}

std::optional<circuit_breaker::state> circuit_breaker::succeeded(std::size_t source, std::string_view entry) {
    if (state_ == state::closed) {
        failing_.clear();
        return std::nullopt;
    }
    if (!is_probe(source, entry)) return std::nullopt;
    probe_.reset();
    failing_.clear();
    return state_ = state::closed;
}

std::optional<circuit_breaker::state> circuit_breaker::failed(std::size_t source, std::string_view entry, instant now) {
    if (threshold_ == 0) return std::nullopt;
    if (state_ == state::closed) {
        failing_.emplace(source, entry);
        return failing_.size() >= threshold_ ? std::optional{open(now)} : std::nullopt;
    }
    if (!is_probe(source, entry)) return std::nullopt;
    failing_.insert(*std::move(probe_));
    return open(now);
}

void circuit_breaker::withdrawn(std::size_t source, std::string_view entry) {
    if (is_probe(source, entry)) probe_.reset();
}

bool circuit_breaker::is_probe(std::size_t source, std::string_view entry) const {
    return probe_ && probe_->first == source && probe_->second == entry;
}

circuit_breaker::state circuit_breaker::open(instant now) noexcept {
    probe_.reset();
    probe_at_ = now + reset_;
    return state_ = state::open;
}

std::string_view to_string(circuit_breaker::state state) noexcept {
    switch (state) {
        case circuit_breaker::state::open:
            return "opened";
        case circuit_breaker::state::half_open:
            return "half_open";
        case circuit_breaker::state::closed:
            break;
    }
    return "closed";
}

}  // namespace sluice::consume
