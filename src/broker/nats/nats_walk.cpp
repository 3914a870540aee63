#include "broker/nats/nats_walk.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "broker/nats/publication.hpp"
#include "broker/partner_name.hpp"

namespace sluice::broker::nats {
namespace {

/// Asked for at once: each may have a megabyte.
constexpr std::size_t most_in_flight = 64;

std::string walked_id(const stored_message& of) {
    if (!of.message_id.empty()) return std::string{own_id_of(of.message_id)};
    try {
        return message::decode(of.body).id();
    } catch (const decode_error&) {
        return {};
    }
}

}  // namespace

nats_walk::nats_walk(runner run, std::string_view stream, std::optional<date_time> from)
    : run_{std::move(run)}, subject_{partner_name(stream)} {
    run_([&](session& on, const net::deadline& until) {
        auto names = streams_taking(on, subject_, until);
        if (names.empty()) return;
        const auto extent = extent_of(on, names.front(), until);
        kept_in_ = std::move(names.front());
        next_ = extent.first;
        end_ = extent.last;
        if (from) start_at(on, *from, until);
    });
}

/// Halves the rest as long as it can; what is not there counts as young, so that nothing is passed over.
void nats_walk::start_at(session& on, date_time from, const net::deadline& until) {
    auto upto = end_ + 1;
    while (next_ < upto) {
        const auto middle = next_ + (upto - next_) / 2;
        const auto found = message_at(on, *kept_in_, middle, until);
        if (found && found->at && *found->at < from) {
            next_ = middle + 1;
        } else {
            upto = middle;
        }
    }
}

std::vector<walked_entry> nats_walk::entries_in(const std::vector<stored_message>& found) const {
    std::vector<walked_entry> page;
    page.reserve(found.size());
    for (const auto& each : found) {
        if (each.subject == subject_) page.push_back({.message_id = walked_id(each)});
    }
    return page;
}

std::vector<walked_entry> nats_walk::next(std::size_t limit) {
    std::vector<walked_entry> page;
    while (kept_in_ && page.empty() && next_ <= end_) {
        const auto count = std::min<std::uint64_t>({limit, most_in_flight, end_ - next_ + 1});
        run_([&](session& on, const net::deadline& until) {
            page = entries_in(messages_from(on, *kept_in_, next_, static_cast<std::size_t>(count), until));
        });
        next_ += count;
    }
    return page;
}

void nats_walk::find_first_kept() {
    run_([&](session& on, const net::deadline& until) {
        const auto extent = extent_of(on, *kept_in_, until);
        if (!extent.keeps_by_limits) {
            first_kept_ = std::numeric_limits<std::uint64_t>::max();
            return;
        }
        const auto found = next_message_of(on, *kept_in_, subject_, extent.first, until);
        first_kept_ = found ? found->sequence : extent.first;
    });
}

bool nats_walk::has_expired(std::string_view receipt, date_time /*confirmed_at*/) {
    const auto colon = receipt.rfind(':');
    if (!kept_in_ || colon == std::string_view::npos || receipt.substr(0, colon) != *kept_in_) return false;
    std::uint64_t sequence = 0;
    const char* const end = receipt.data() + receipt.size();
    const auto [stop, failure] = std::from_chars(receipt.data() + colon + 1, end, sequence);
    if (failure != std::errc{} || stop != end) return false;
    if (!first_kept_) find_first_kept();
    return sequence < *first_kept_;
}

}  // namespace sluice::broker::nats
