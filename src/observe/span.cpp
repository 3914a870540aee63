#include "observe/span.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "base/hex.hpp"
#include "base/one_line.hpp"
#include "observe/span_source.hpp"

namespace sluice {

const char* to_string(span_kind kind) noexcept {
    switch (kind) {
        case span_kind::server:
            return "server";
        case span_kind::client:
            return "client";
        case span_kind::producer:
            return "producer";
        case span_kind::consumer:
            return "consumer";
        case span_kind::internal:
            break;
    }
    return "internal";
}

}  // namespace sluice

namespace sluice::observe {

namespace {

/// OpenTelemetry's usual limit.
constexpr std::size_t most_links = 128;
/// Together with the former it bounds what one span takes.
constexpr std::size_t longest_text = 1024;

/// Of the span that the current thread works for.
thread_local const trace_parent* here = nullptr;

/// Ids must not be all zero.
std::string random_hex(base::random_source& random, int words) {
    constexpr unsigned digits = 16;
    std::string text;
    for (int i = 0; i < words; ++i) {
        std::uint64_t number = random.next();
        while (number == 0) number = random.next();
        base::append_hex(text, number, digits);
    }
    return text;
}

}  // namespace

struct span::open_span {
    const span_source& source;
    instant begin;
    finished_span record;
};

void span::deleter::operator()(open_span* of) const noexcept { delete of; }  // NOLINT(cppcoreguidelines-owning-memory)

bool span::is_recording() const noexcept { return open_ && open_->record.context.sampled; }

const trace_parent* span::context() const noexcept { return open_ ? &open_->record.context : nullptr; }

void span::set(std::string_view key, span_value value) {
    if (!is_recording()) return;
    if (auto* const text = std::get_if<std::string>(&value); text != nullptr && text->size() > longest_text) {
        *text = base::one_line(*text, longest_text);
    }
    open_->record.attributes.push_back({std::string{key}, std::move(value)});
}

void span::set_text(std::string_view key, std::string_view text) {
    if (is_recording() && !text.empty()) set(key, std::string{text});
}

void span::link(const trace_parent& to) {
    if (!is_recording()) return;
    if (open_->record.links.size() < most_links) {
        open_->record.links.push_back(to);
    } else {
        ++open_->record.dropped_links;
    }
}

void span::fail(std::string_view type, std::string_view what) {
    if (!is_recording()) return;
    open_->record.failed = true;
    open_->record.error = base::one_line(what, longest_text);
    set_text("error.type", type);
}

void span::fail(const std::exception& what) {
    const auto* const known = dynamic_cast<const error*>(&what);
    fail(known != nullptr ? std::string_view{known->code()} : "exception", what.what());
}

void span::end() noexcept {
    if (!open_) return;
    const auto ending = std::exchange(open_, nullptr);
    if (!ending->record.context.sampled) return;
    ending->record.took = std::max(ending->source.time().monotonic_now() - ending->begin, duration{0});
    ending->source.finish(ending->record);
}

span_scope::span_scope(const trace_parent* of) noexcept : before_{here} {
    if (of != nullptr) here = of;
}

span_scope::~span_scope() { here = before_; }

const trace_parent* span_here() noexcept { return here; }

std::optional<trace_parent> trace_here(const std::optional<trace_parent>& otherwise) {
    return here == nullptr ? otherwise : std::optional{*here};
}

std::optional<trace_parent> trace_or_here(const std::optional<trace_parent>& given) {
    return given || here == nullptr ? given : std::optional{*here};
}

span_source::span_source(const sampler& which, const clock& time, base::random_source& random,
                         std::vector<span_sink> sinks)
    : which_{which}, time_{time}, random_{random}, sinks_{std::move(sinks)} {}

span span_source::begin(std::string name, span_kind kind, const trace_parent* parent) const {
    return began(time_.now(), time_.monotonic_now(), std::move(name), kind, parent);
}

span span_source::begin_here(std::string name, span_kind kind, const std::optional<trace_parent>& otherwise) const {
    if (here != nullptr) return begin(std::move(name), kind, here);
    return begin(std::move(name), kind, otherwise);
}

span span_source::began(date_time at, instant steady, std::string name, span_kind kind,
                        const trace_parent* parent) const {
    span made;
    made.open_.reset(new span::open_span{.source = *this, .begin = steady, .record = {}});
    finished_span& record = made.open_->record;
    record.context.trace_id = parent != nullptr ? parent->trace_id : random_hex(random_, 2);
    record.context.parent_id = random_hex(random_, 1);
    record.context.sampled = which_.takes(parent, record.context.trace_id);
    if (parent != nullptr) record.parent_id = parent->parent_id;
    record.begin = at;
    record.kind = kind;
    record.name = std::move(name);
    return made;
}

void span_source::finish(const finished_span& what) const noexcept {
    for (const span_sink& each : sinks_) {
        try {
            each(what);
        } catch (...) {  // NOLINT(bugprone-empty-catch): what cannot be told is done all the same
        }
    }
}

}  // namespace sluice::observe
