#include "broker/webhook/http_connection.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <poll.h>

#include "base/one_line.hpp"
#include "broker/webhook/status_verdict.hpp"
#include "net/outage.hpp"

namespace sluice::broker::webhook {
namespace {

/// What a server does not say: it may close sooner, and that is noticed.
constexpr duration usual_idle_time = std::chrono::seconds{4};
constexpr duration idle_margin = std::chrono::seconds{1};
/// For the rest of a body that nobody needs.
constexpr duration body_time = std::chrono::seconds{1};

}  // namespace

void http_connection::begin(std::string request, const net::deadline& until) {
    assert(state_ == state::idle);
    request_ = std::move(request);
    sent_ = 0;
    write_failed_ = false;
    ended_ = false;
    write_wants_ = POLLOUT;
    answer_ = answer_reader{};
    body_until_.reset();
    until_ = until;
    trouble_.clear();
    state_ = state::under_way;
}

http_connection::state http_connection::advance() {
    if (state_ == state::draining) {
        read();
        end_drain();
    }
    if (state_ != state::under_way) return state_;
    if (sent_ < request_.size() && !write_failed_) {
        write();
        // What was just sent is not answered yet: whoever polls will see it. An answer before the end is read below.
        if (sent_ == request_.size()) return state_;
    }
    read();
    if (is_answered()) {
        state_ = state::answered;
    } else if (ended_ && !answer_.has_begun()) {
        lose(trouble_);
    } else if (answer_.now() == answer_reader::state::broken) {
        lose("the answer cannot be read: " + answer_.trouble());
    } else if (until_.passed()) {
        lose(answer_.has_begun() ? "the answer did not come to its end in time" : "no answer came in time");
    }
    return state_;
}

/// The words of an answer that is no success belong to it, as far as they come soon.
bool http_connection::is_answered() const {
    const unsigned status = answer_.head().status;
    if (status == 0 || answer_.now() == answer_reader::state::waiting) return false;
    if (answer_.now() != answer_reader::state::in_body) return true;  // also of a broken one the status counts
    return meaning_of(status) == status_meaning::delivered || ended_ || (body_until_ && body_until_->passed());
}

void http_connection::write() {
    try {
        while (sent_ < request_.size()) {
            const auto taken = stream_->write(std::string_view{request_}.substr(sent_));
            if (taken == 0) {
                write_wants_ = stream_->wanted();
                return;
            }
            sent_ += taken;
        }
        write_wants_ = 0;
    } catch (const net::outage& broken) {
        // It may have answered before it closed: that is to be read yet.
        write_failed_ = true;
        write_wants_ = 0;
        trouble_ = base::one_line(broken.what());
    }
}

void http_connection::read() {
    std::array<char, 16384> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
    try {
        while (answer_.now() == answer_reader::state::waiting || answer_.now() == answer_reader::state::in_body) {
            const auto count = stream_->read(bytes);
            if (count == 0) break;
            answer_.put({bytes.data(), count});
        }
    } catch (const net::outage& end) {
        ended_ = true;
        if (trouble_.empty()) trouble_ = base::one_line(end.what());
        answer_.put_end();
    }
    if (answer_.now() == answer_reader::state::in_body && !body_until_) {
        body_until_.emplace(body_time);
        until_ = until_.or_sooner(body_time);
    }
}

void http_connection::lose(std::string why) {
    state_ = state::lost;
    trouble_ = std::move(why);
}

void http_connection::finish() {
    assert(state_ == state::answered);
    ++served_;
    const auto open = answer_.head().keeps_open_for;
    idle_until_ = net::deadline{open ? std::max(*open - idle_margin, duration{0}) : usual_idle_time};
    const bool was_sent = sent_ == request_.size();
    request_.clear();
    sent_ = 0;
    if (!was_sent || write_failed_ || ended_ || !answer_.head().may_be_reused) return lose("it cannot be used again");
    state_ = state::draining;
    end_drain();
}

void http_connection::end_drain() {
    if (answer_.now() == answer_reader::state::complete && answer_.head().may_be_reused && !ended_) {
        state_ = state::idle;
    } else if (answer_.now() != answer_reader::state::in_body || ended_ || body_until_->passed()) {
        lose("it cannot be used again");
    }
}

bool http_connection::is_fresh() {
    if (state_ != state::idle || ended_ || (served_ > 0 && idle_until_.passed())) return false;
    std::array<char, 1> byte{};
    try {
        return stream_->read(byte) == 0;  // nobody asked for anything
    } catch (const net::outage&) {
        return false;
    }
}

short http_connection::wanted() const noexcept {
    return static_cast<short>(POLLIN | (sent_ < request_.size() ? write_wants_ : 0));
}

}  // namespace sluice::broker::webhook
