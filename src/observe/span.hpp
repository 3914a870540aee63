#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/metadata.hpp>
#include <sluice/span.hpp>

namespace sluice::observe {

class span_source;

/// A piece of work under way. It ends with `end` or with this object, and goes to the sinks of its source when its
/// trace is sampled. One that was not begun by a source is nothing and costs nothing.
///
/// Thread safety: used by one thread at a time. Lifetime: its source must outlive it.
class span {
public:
    span() = default;
    span(span&&) noexcept = default;
    span& operator=(span&& other) noexcept {
        end();
        open_ = std::move(other.open_);
        return *this;
    }
    ~span() { end(); }

    /// False when nobody will see what is set: attributes need not be made then.
    [[nodiscard]] bool is_recording() const noexcept;
    /// What those who follow name as their parent, also when it is not sampled; null when it is nothing.
    [[nodiscard]] const trace_parent* context() const noexcept;

    // All of these do nothing unless it is recording. Texts are cut at 1024 bytes.
    void set(std::string_view key, span_value value);
    /// An empty text is not set.
    void set_text(std::string_view key, std::string_view text);
    void link(const trace_parent& to);
    /// @param type  stable word, `error.type` of the conventions
    void fail(std::string_view type, std::string_view what);
    void fail(const std::exception& what);

    void end() noexcept;

private:
    friend class span_source;
    struct open_span;
    struct deleter {
        void operator()(open_span* of) const noexcept;
    };

    std::unique_ptr<open_span, deleter> open_;
};

/// While it lives, the span is that of the current thread: lines of the log name it, and spans that begin on this
/// thread without another parent are its children. A span that is nothing changes nothing.
///
/// Thread safety: none; scopes of one thread end in the reverse order of their begin. Lifetime: the span must outlive
/// it and must not be moved meanwhile.
class span_scope {
public:
    explicit span_scope(const span& of) noexcept : span_scope{of.context()} {}
    /// Of a span that is known by its context only. Null changes nothing.
    explicit span_scope(const trace_parent* of) noexcept;
    span_scope(const span_scope&) = delete;
    span_scope& operator=(const span_scope&) = delete;
    ~span_scope();

private:
    const trace_parent* before_;
};

/// The context of the span of the current thread; null when there is none.
[[nodiscard]] const trace_parent* span_here() noexcept;

/// What new messages and contexts continue: the span of this thread; without one what is given.
[[nodiscard]] std::optional<trace_parent> trace_here(const std::optional<trace_parent>& otherwise);

/// The other way round: what is given; without it the span of this thread.
[[nodiscard]] std::optional<trace_parent> trace_or_here(const std::optional<trace_parent>& given);

/// Runs `body` as the work of the span; what it throws fails the span.
template <class Body>
auto within(span& of, const Body& body) {
    const span_scope here{of};
    try {
        return body();
    } catch (const std::exception& failure) {
        of.fail(failure);
        throw;
    } catch (...) {
        of.fail("exception", "something that is no std::exception was thrown");
        throw;
    }
}

}  // namespace sluice::observe
