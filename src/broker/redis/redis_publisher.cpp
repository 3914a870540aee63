#include "broker/redis/redis_publisher.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <sluice/message.hpp>

#include "base/ids.hpp"
#include "base/one_line.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/keys.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::size_t max_wave_bytes = std::size_t{4} * 1024 * 1024;
constexpr int tail_pages = 10;
constexpr int tail_page_size = 100;
constexpr int max_claims = 5;

void settle_by(const reply& answer, std::size_t index, batch_plan& plan) {
    plan.settle(index, answer.is_error() ? verdict_on(answer.text()) : verdict{delivered{std::string{answer.text()}}});
}

/// The transaction was not executed because of some of its commands: settles those that are refused.
void settle_objections(const outcome& aborted, const batch_plan::wave& wave, batch_plan& plan) {
    bool any = false;
    for (std::size_t i = 0; i < wave.size(); ++i) {
        if (!aborted.queued[i].is_error()) continue;
        auto v = verdict_on(aborted.queued[i].text());
        if (const auto* away = std::get_if<unreachable>(&v)) throw outage{away->reason};
        plan.settle(wave[i], std::move(v));
        any = true;
    }
    if (!any) throw outage{base::one_line(aborted.result.text())};
}

std::uint64_t number_in(const guard::fields& hash, std::string_view name) {
    std::uint64_t number = 0;
    if (const auto found = hash.find(name); found != hash.end()) {
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
    }
    return number;
}

/// Empty for what is no message of ours.
std::string message_id_of(const reply& fields) {
    const auto body = fields.field(data_field);
    if (!body) return {};
    try {
        return message::decode(body->text()).id();
    } catch (const decode_error&) {
        return {};
    }
}

}  // namespace

std::vector<verdict> redis_publisher::publish(std::span<const outgoing> batch, const producer& from, duration timeout) {
    if (batch.empty()) return {};
    const deadline until{timeout, &haste_};
    link_.drop_if_closed();
    batch_plan plan{batch, link_.at().options().max_message_bytes};
    try {
        do {
            prepare(from, until);
            recall(plan, until);
        } while (!send_all(plan, until));
    } catch (const outage& trouble) {
        link_.drop();
        plan.give_up(link_.named(trouble).what());
    }
    return std::move(plan).verdicts();
}

std::string redis_publisher::probe(duration timeout) {
    const deadline until{timeout, &haste_};
    try {
        const auto answer = link_.open(until).run(commands{}.add("PING"), until).at(0);
        if (answer.is_error() && !is_forbidden(answer.text())) throw outage{base::one_line(answer.text())};
        if (!owner_.name.empty() && link_.at().fences()) {
            // A claim is a write: it finds out what a PING does not, such as a full memory or a demoted primary.
            footing_.reset();
            prepare(owner_, until);
        }
        return {};
    } catch (const outage& trouble) {
        link_.drop();
        return link_.named(trouble).what();
    }
}

bool redis_publisher::prepared_for(const producer& from) {
    return link_.current() != nullptr && footing_ && owner_.name == from.name && owner_.epoch == from.epoch &&
           (*footing_ != footing::fenced || fence_->held());
}

void redis_publisher::prepare(const producer& from, const deadline& until) {
    if (prepared_for(from)) return;
    // What the old connection watches must not disturb what comes now.
    if (footing_ != footing::fenced || owner_.name != from.name) link_.drop();
    owner_ = from;
    known_.clear();
    looked_at_.clear();
    waves_sent_ = 0;
    footing_ = find_footing(until);
}

redis_publisher::footing redis_publisher::find_footing(const deadline& until) {
    if (!owner_.name.empty() && link_.at().fences()) {
        try {
            claim(until);
            return footing::fenced;
        } catch (const forbidden& no) {
            link_.at().give_up_fencing(no.what());
            link_.drop();
        }
    }
    const auto replies = link_.open(until).run(commands{}.add("MULTI").add("EXEC"), until);
    if (!replies[0].is_error()) return footing::atomic;
    if (is_forbidden(replies[0].text())) return footing::plain;
    throw outage{base::one_line(replies[0].text())};
}

/// Becomes the one that publishes for the producer, and learns what was published last. A token per claim shuts out
/// whatever an earlier connection of the same owner still carries.
void redis_publisher::claim(const deadline& until) {
    auto& on = link_.open(until);
    const auto former = shut_out_former(on, until);
    fence_.emplace(lane_key(owner_.name));
    for (int i = 0; i < max_claims; ++i) {
        const auto there = fence_->look(on, until);
        const auto epoch = number_in(there, "epoch");
        if (epoch > owner_.epoch) {
            throw outage{
                fmt::format("fenced: a newer owner of lane {} publishes (epoch {}, ours is {}); after restoring "
                            "an older database, delete the key {}",
                            owner_.name, epoch, owner_.epoch, fence_->key())};
        }
        load_journal(there);
        for (const auto& each : former) remember_pages(each);
        if (fence_->take(on, base::uuid4(base::system_random()), {{"epoch", std::to_string(owner_.epoch)}}, {},
                         until)) {
            return;
        }
    }
    throw outage{fmt::format("several publishers of lane {} with the same epoch take turns", owner_.name)};
}

/// Whoever still holds one of these loses it. Another successor may have been here; then this only looks.
std::vector<guard::fields> redis_publisher::shut_out_former(connection& on, const deadline& until) const {
    std::vector<guard::fields> left;
    for (const auto& name : owner_.former) {
        guard theirs{lane_key(name)};
        auto there = theirs.look(on, until);
        for (int i = 0; number_in(there, "epoch") < owner_.epoch; ++i) {
            if (i == max_claims) throw outage{fmt::format("somebody still publishes for the former lane {}", name)};
            const guard::fields mine{{"epoch", std::to_string(owner_.epoch)}};
            if (theirs.take(on, base::uuid4(base::system_random()), mine, {}, until)) break;
            there = theirs.look(on, until);
        }
        left.push_back(std::move(there));
    }
    return left;
}

void redis_publisher::load_journal(const guard::fields& from) {
    known_.clear();
    next_page_ = 0;
    for (std::uint64_t i = 0; i < journal_pages; ++i) {
        const auto field = from.find(journal_field(i));
        if (field == from.end()) continue;
        const auto page = read_journal_page(field->second);
        if (!page) continue;
        next_page_ = std::max(next_page_, page->number + 1);
    }
    remember_pages(from);
}

void redis_publisher::remember_pages(const guard::fields& from) {
    for (std::uint64_t i = 0; i < journal_pages; ++i) {
        const auto field = from.find(journal_field(i));
        if (field == from.end()) continue;
        const auto page = read_journal_page(field->second);
        if (!page) continue;
        for (const auto& [stream, message_id] : page->items) known_.remember(stream, message_id, "");
    }
}

/// Settles what is in the streams already.
void redis_publisher::recall(batch_plan& plan, const deadline& until) {
    for (const auto i : plan.open()) {
        const auto& message = plan.message(i);
        if (should_look_at(message.stream)) look_at_tail(message.stream, until);
        if (const auto* entry = known_.find(message.stream, message.message_id)) plan.settle(i, delivered{*entry});
    }
}

bool redis_publisher::should_look_at(std::string_view stream) const {
    if (stream.empty() || looked_at_.contains(stream)) return false;
    // The journal is complete, but for the entries' ids: a transaction cannot write down what it is about to be given.
    return footing_ != footing::fenced || known_.misses_entries_of(stream);
}

void redis_publisher::look_at_tail(std::string_view stream, const deadline& until) {
    looked_at_.emplace(stream);
    std::string end = "+";
    for (int page = 0; page < tail_pages; ++page) {
        commands look;
        look.begin(6).part("XREVRANGE").part(stream).part(end).part("-").part("COUNT").part(tail_page_size);
        const auto entries = link_.open(until).run(look, until).at(0);
        if (entries.is_error()) {
            if (is_forbidden(entries.text())) return;
            if (std::holds_alternative<unreachable>(verdict_on(entries.text()))) {
                throw outage{base::one_line(entries.text())};
            }
            known_.forget_without_entries(stream);  // this is no stream: publishing will tell
            return;
        }
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto entry = entries[i];
            if (const auto id = message_id_of(entry[1]); !id.empty()) known_.remember(stream, id, entry[0].text());
        }
        if (entries.size() < tail_page_size) {
            // That was the whole stream. What the journal names and the stream lacks was trimmed, or the stream did not
            // take it: rather twice than never.
            known_.forget_without_entries(stream);
            return;
        }
        end = "(" + std::string{entries[entries.size() - 1][0].text()};
    }
}

/// False when the way must be prepared again before the rest can be sent.
bool redis_publisher::send_all(batch_plan& plan, const deadline& until) {
    const auto how = footing_ == footing::plain ? sending::one_by_one : sending::as_one;
    for (;;) {
        const auto wave = plan.next(how, max_wave_bytes);
        if (wave.empty()) return true;
        if (!send(plan, wave, until)) return false;
    }
}

bool redis_publisher::send(batch_plan& plan, const batch_plan::wave& wave, const deadline& until) {
    try {
        if (*footing_ != footing::plain) return send_as_one(plan, wave, until);
        send_plainly(plan, wave, until);
        return true;
    } catch (const unacceptable_command& objection) {
        const auto v = verdict_on(objection.what());
        const auto* const no = std::get_if<refused>(&v);
        if (objection.index() >= wave.size() || no == nullptr || !no->permanent) throw;
        plan.settle(wave[objection.index()], v);
        link_.drop();  // the server closed it
        return false;
    }
}

void redis_publisher::add_wave(commands& to, const batch_plan& plan, const batch_plan::wave& wave) const {
    const auto maxlen = link_.at().options().maxlen;
    for (const auto i : wave) {
        const auto& message = plan.message(i);
        if (maxlen == 0) {
            to.add("XADD", message.stream, "*", data_field, message.body);
        } else {
            to.add("XADD", message.stream, "MAXLEN", "~", maxlen, "*", data_field, message.body);
        }
    }
}

bool redis_publisher::send_as_one(batch_plan& plan, const batch_plan::wave& wave, const deadline& until) {
    auto& on = link_.open(until);
    const bool fenced = *footing_ == footing::fenced;
    buffer_.clear();
    add_wave(buffer_.what(), plan, wave);
    if (fenced) {
        journal_writer page{next_page_};
        for (const auto i : wave) page.add(plan.message(i).stream, plan.message(i).message_id);
        add_page(buffer_.what(), page);
    }
    const auto result = fenced ? fence_->run(on, buffer_, until) : run_transaction(on, buffer_, until);
    if (result.lost()) return false;
    if (!result.done()) {
        settle_objections(result, wave, plan);
        return !fenced || fence_->held();
    }
    for (std::size_t i = 0; i < wave.size(); ++i) settle_by(result.result[i], wave[i], plan);
    if (fenced) correct_journal(plan, wave, result.result, until);
    count_wave();
    return !fenced || fence_->held();
}

/// A stream that is none takes no message, which does not stop the rest of a transaction.
void redis_publisher::correct_journal(const batch_plan& plan, const batch_plan::wave& wave, const reply& results,
                                      const deadline& until) {
    journal_writer page{next_page_};
    std::size_t taken = 0;
    for (std::size_t i = 0; i < wave.size(); ++i) {
        if (results[i].is_error()) continue;
        const auto& message = plan.message(wave[i]);
        page.add(message.stream, message.message_id);
        ++taken;
    }
    if (taken == wave.size() || !fence_->held()) return;
    transaction correction;
    add_page(correction.what(), page);
    static_cast<void>(fence_->run(link_.open(until), correction, until));
}

void redis_publisher::send_plainly(batch_plan& plan, const batch_plan::wave& wave, const deadline& until) {
    commands all;
    add_wave(all, plan, wave);
    const auto replies = link_.open(until).run(all, until);
    for (std::size_t i = 0; i < wave.size(); ++i) settle_by(replies[i], wave[i], plan);
    count_wave();
    for (const auto& each : replies) {
        if (!each.is_error()) continue;
        const auto v = verdict_on(each.text());
        if (const auto* away = std::get_if<unreachable>(&v)) throw outage{away->reason};
    }
}

void redis_publisher::add_page(commands& to, const journal_writer& page) const {
    to.add("HSET", fence_->key(), journal_field(next_page_), page.text());
}

/// After so many waves, whatever was in doubt has been asked for.
void redis_publisher::count_wave() {
    ++next_page_;
    if (++waves_sent_ == journal_pages) known_.clear();
}

}  // namespace sluice::broker::redis
