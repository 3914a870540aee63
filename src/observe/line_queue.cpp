#include "observe/line_queue.hpp"

#include <cassert>
#include <utility>

namespace sluice::observe {

bool line_queue::push(std::string line) {
    if (entries_.size() >= limits_.lines || line.size() > limits_.bytes - bytes_) {
        lose();
        return false;
    }
    if (untold_ > 0) entries_.push_back({.line = {}, .missing = std::exchange(untold_, 0)});
    bytes_ += line.size();
    entries_.push_back({.line = std::move(line)});
    return true;
}

void line_queue::give_back(const entry& unwritten) noexcept {
    if (unwritten.missing > 0) {
        untold_ += unwritten.missing;
    } else {
        lose();
    }
}

void line_queue::lose() noexcept {
    ++dropped_;
    ++untold_;
}

line_queue::entry line_queue::take() {
    assert(!empty() || owes());
    if (entries_.empty()) return {.line = {}, .missing = std::exchange(untold_, 0)};
    entry next = std::move(entries_.front());
    entries_.pop_front();
    bytes_ -= next.line.size();
    return next;
}

}  // namespace sluice::observe
