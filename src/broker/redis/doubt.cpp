#include "broker/redis/doubt.hpp"

#include <algorithm>
#include <charconv>

#include "base/fingerprint.hpp"
#include "envelope/content.hpp"

namespace sluice::broker::redis {
namespace {

/// A page whose position nobody told goes after so many others, as in older builds.
constexpr std::uint64_t pages_without_position = 16;

std::optional<std::size_t> slot_of(std::string_view field) {
    if (!field.starts_with('b')) return std::nullopt;
    field.remove_prefix(1);
    std::size_t slot = 0;
    const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), slot);
    if (failure != std::errc{} || end != field.data() + field.size()) return std::nullopt;
    return slot;
}

}  // namespace

void doubt::clear() { *this = doubt{}; }

void doubt::take_over(const fields& stored) {
    pages_.clear();
    traces_.clear();
    leftovers_.clear();
    next_number_ = 0;
    add(stored, true);
}

void doubt::look_into(const fields& stored) { add(stored, false); }

void doubt::add(const fields& stored, bool removable) {
    std::vector<std::pair<std::size_t, journal_page>> found;
    for (const auto& [field, text] : stored) {
        const auto slot = slot_of(field);
        if (!slot || text.empty()) continue;
        if (auto page = read_journal_page(text)) {
            found.emplace_back(*slot, *std::move(page));
        } else if (removable) {
            leftovers_.insert(*slot);
        }
    }
    for (const auto& [slot, page] : found) next_number_ = std::max(next_number_, page.number + 1);
    for (const auto& [slot, page] : found) {
        const auto own = removable ? own_.find(page.number) : own_.end();
        if (own == own_.end()) {
            add(page, removable ? std::optional{slot} : std::nullopt);
        } else {
            pages_.emplace(
                next_key_++,
                page_state{.number = page.number, .slot = slot, .position = page.position, .batch = own->second});
        }
    }
    settle_pages();
}

void doubt::add(const journal_page& page, std::optional<std::size_t> slot) {
    const auto key = next_key_++;
    pages_.emplace(key, page_state{.number = page.number,
                                   .slot = slot,
                                   .position = page.position,
                                   .forget_at = page.position == 0 ? next_number_ + pages_without_position : 0,
                                   .unasked = page.items.size()});
    for (const auto& each : page.items) {
        traces_[each.stream][each.message_id].push_back(
            {.page = key, .fingerprint = each.fingerprint, .since = page.since});
    }
}

void doubt::begin_batch(const producer& from) {
    ++batch_;
    const auto open = std::min<std::uint64_t>(from.unsettled_batches, batch_ - 1);
    settled_batch_ = std::max(settled_batch_, batch_ - 1 - open);
    settled_upto_ = from.settled_upto;
    std::erase_if(own_, [&](const auto& each) { return each.second <= settled_batch_; });
    settle_pages();
}

bool doubt::is_settled(const page_state& page) const {
    if (page.position != 0 && page.position <= settled_upto_) return true;
    if (page.forget_at != 0 && next_number_ > page.forget_at) return true;
    return page.unasked == 0 && page.batch <= settled_batch_;
}

void doubt::settle_pages() {
    const auto before = pages_.size();
    for (auto page = pages_.begin(); page != pages_.end();) {
        if (!is_settled(page->second)) {
            ++page;
            continue;
        }
        if (page->second.slot) leftovers_.insert(*page->second.slot);
        page = pages_.erase(page);
    }
    if (pages_.size() != before) forget_traces_without_page();
}

void doubt::forget_traces_without_page() {
    for (auto& [stream, messages] : traces_) {
        for (auto& [id, known] : messages) {
            std::erase_if(known, [&](const trace& each) { return each.page != 0 && !pages_.contains(each.page); });
        }
        std::erase_if(messages, [](const auto& each) { return each.second.empty(); });
    }
}

const std::vector<doubt::trace>* doubt::find(std::string_view stream, std::string_view message_id) const {
    const auto messages = traces_.find(stream);
    if (messages == traces_.end()) return nullptr;
    const auto known = messages->second.find(message_id);
    return known == messages->second.end() ? nullptr : &known->second;
}

bool doubt::is_copy(const trace& known, const outgoing& message) {
    if (!known.fingerprint) return true;  // nobody wrote down what it was
    if (*known.fingerprint == base::fingerprint(message.body)) return true;
    return !known.copy_key.empty() && known.copy_key == envelope::copy_key(message.body);
}

void doubt::ask(trace& about) {
    if (about.page == 0) return;
    auto& page = pages_.at(about.page);
    if (!about.asked) --page.unasked;
    about.asked = true;
    page.batch = batch_;
}

std::optional<std::string> doubt::recall(const outgoing& message) {
    const auto messages = traces_.find(message.stream);
    if (messages == traces_.end()) return std::nullopt;
    const auto known = messages->second.find(message.message_id);
    if (known == messages->second.end()) return std::nullopt;
    std::optional<std::string> entry;
    for (auto& each : known->second) {
        ask(each);  // also when it is another message: its row is not in the database any more
        if (is_copy(each, message) && (!entry || entry->empty())) entry = each.entry;
    }
    return entry;
}

std::optional<std::string> doubt::namesake(const outgoing& message) const {
    const auto* const known = find(message.stream, message.message_id);
    if (known == nullptr) return std::nullopt;
    for (const auto& each : *known) {
        if (!is_copy(each, message)) return each.entry;
    }
    return std::nullopt;
}

bool doubt::is_used(std::size_t slot) const {
    return std::ranges::any_of(pages_, [slot](const auto& each) { return each.second.slot == slot; });
}

std::size_t doubt::free_slot() const {
    std::size_t slot = 0;
    while (is_used(slot)) ++slot;
    return slot;
}

doubt::changes doubt::to_store(const journal_page& page) const {
    const auto slot = free_slot();
    changes result{{journal_field(slot), write_journal_page(page)}};
    for (const auto each : leftovers_) {
        if (each != slot) result.emplace_back(journal_field(each), "");
    }
    return result;
}

void doubt::stored(const journal_page& page) {
    last_slot_ = free_slot();
    leftovers_.clear();
    pages_.emplace(next_key_++,
                   page_state{.number = page.number, .slot = last_slot_, .position = page.position, .batch = batch_});
    own_[page.number] = batch_;
    next_number_ = page.number + 1;
}

doubt::changes doubt::to_correct(const journal_page& page) const {
    return {{journal_field(last_slot_), write_journal_page(page)}};
}

bool doubt::misses_entries_of(std::string_view stream) const {
    const auto messages = traces_.find(stream);
    return messages != traces_.end() && std::ranges::any_of(messages->second, [](const auto& each) {
               return std::ranges::any_of(each.second, [](const trace& known) { return known.entry.empty(); });
           });
}

bool doubt::names(std::string_view stream, std::string_view message_id) const {
    return find(stream, message_id) != nullptr;
}

std::uint64_t doubt::oldest_of(std::string_view stream) const {
    const auto messages = traces_.find(stream);
    if (messages == traces_.end()) return 0;
    std::optional<std::uint64_t> oldest;
    for (const auto& [id, known] : messages->second) {
        for (const auto& each : known) {
            if (each.page != 0 && each.entry.empty()) oldest = std::min(oldest.value_or(each.since), each.since);
        }
    }
    return oldest.value_or(0);
}

void doubt::seen(std::string_view stream, std::string_view message_id, std::string_view body, std::string_view entry) {
    auto& known =
        traces_.try_emplace(std::string{stream}).first->second.try_emplace(std::string{message_id}).first->second;
    const auto sum = base::fingerprint(body);
    for (auto& each : known) {
        if (!each.entry.empty() || (each.fingerprint && *each.fingerprint != sum)) continue;
        each.fingerprint = sum;
        each.entry = entry;
        each.copy_key = envelope::copy_key(body);
        return;
    }
    known.push_back({.fingerprint = sum, .entry = std::string{entry}, .copy_key = envelope::copy_key(body)});
}

void doubt::saw_all_of(std::string_view stream) {
    const auto messages = traces_.find(stream);
    if (messages == traces_.end()) return;
    for (auto& [id, known] : messages->second) {
        for (auto& each : known) {
            if (each.entry.empty()) ask(each);
        }
        std::erase_if(known, [](const trace& each) { return each.entry.empty(); });
    }
    std::erase_if(messages->second, [](const auto& each) { return each.second.empty(); });
}

}  // namespace sluice::broker::redis
