#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/describe/class.hpp>

#include <sluice/codec.hpp>
#include <sluice/contract.hpp>
#include <sluice/detail/stored.hpp>
#include <sluice/registry.hpp>
#include <sluice/subscription_options.hpp>
#include <sluice/time.hpp>

namespace sluice {

class context;

/// What a process manager is told when a timer that it set has run out.
///
/// Thread safety: a value type.
struct timeout {
    std::string name;  ///< as given to `in_time` or `at`
    date_time due;     ///< when it was to come; it never comes earlier
};

/// What becomes of an event that starts no instance, and whose instance does not exist.
enum class when_missing {
    skip,  ///< acknowledged; the trace event `pm.unmatched` tells of it
    retry  ///< a failed attempt: tried again like one that threw, so that events of several streams may come in any
           ///< order. The subscription's `max_retries` says how often, then it goes to the dead letters
};

/// How a process manager is declared, where it is to differ from the rest.
///
/// Thread safety: a value type. Lifetime: the names need to live during the call of `domain::process_manager` only.
struct process_manager_options {
    std::string_view name{};             ///< the class's own name when empty
    std::string_view stream_category{};  ///< `{domain}::{underscore(name)}` when empty; given without the domain part
    std::string_view database = "default";
    subscription_options subscription{};
};

namespace detail {

/// A timer that has not come yet.
struct armed_timer {
    std::string id{};  ///< of its message; empty while the step that set it is not recorded
    date_time due{};
};

/// What the runtime keeps of an instance beside its state.
struct process_memory {
    std::string correlation{};
    std::int64_t position = -1;  ///< of the last transition; -1 before the first
    bool complete = false;
    date_time now{};  ///< when the present step began
    std::map<std::string, armed_timer, std::less<>> timers{};
};

struct process_access;

}  // namespace detail

/// Common part of all process managers; users derive from `process_manager<Self>`.
///
/// Thread safety: none; an instance lives inside one step.
class process_root {
public:
    virtual ~process_root() = default;

    /// What the events that belong to this instance have in common.
    [[nodiscard]] const std::string& correlation() const noexcept { return memory_.correlation; }
    [[nodiscard]] bool is_complete() const noexcept { return memory_.complete; }

protected:
    process_root() = default;
    process_root(const process_root&) = default;
    process_root(process_root&&) = default;
    process_root& operator=(const process_root&) = default;
    process_root& operator=(process_root&&) = default;

    /// Ends the process: its timers are cancelled in the same commit, and whatever belongs to it later is ignored.
    void complete() noexcept { memory_.complete = true; }
    /// Takes a timer back. None of that name: nothing happens.
    void cancel(std::string_view name);

    void arm(std::string_view name, duration from_now);
    void arm(std::string_view name, date_time due);

private:
    friend struct detail::process_access;

    detail::process_memory memory_;
};

/// Coordinates a process that takes several steps, several aggregates and time: a state machine that reacts to events,
/// gives commands and sets timers. There is one instance for each value of the correlation.
///
/// The state is described once, like an aggregate's, and may have a `void check(sluice::violations&) const`. Each
/// event has `void on(const Event&, sluice::context&)`; a process with timers has
/// `void on(const sluice::timeout&, sluice::context&)`.
///
/// A step is one transaction: the new state, the effects of the commands that it processed, the commands that it
/// submitted, its timers, and the mark that its event was handled. Two steps of one instance at the same time do not
/// mix: one of them is repeated with the state that the other left.
///
/// @code
/// class Transfer : public sluice::process_manager<Transfer> {
/// public:
///     void on(const TransferRequested& e, sluice::context& bank) { … in_time("deposit", std::chrono::minutes{5}); }
///     void on(const Deposited&, sluice::context&) { complete(); }
///     void on(const sluice::timeout&, sluice::context& bank) { … }
/// private:
///     sluice::identifier to_;
///     BOOST_DESCRIBE_CLASS(Transfer, (), (), (), (to_))
/// };
/// @endcode
///
/// Thread safety: none; an instance lives inside one step.
template <class Self>
class process_manager : public process_root {
protected:
    /// Sets a timer, in the place of one of the same name. It comes once, after the time has passed, also when every
    /// process was down at that moment; not before this step has committed, and not after `cancel`, `complete()` or
    /// setting it anew.
    /// @param name  1 to 100 letters, digits, `_` or `-`
    /// @param from_now  counted from the begin of the step
    /// @throws usage_error for another name, or a time after the year 9999
    void in_time(std::string_view name, duration from_now) {
        require_timeout_handler();
        arm(name, from_now);
    }
    /// The same for a moment; one that has passed already is due at once.
    void at(std::string_view name, date_time due) {
        require_timeout_handler();
        arm(name, due);
    }

private:
    static constexpr void require_timeout_handler() {
        static_assert(
            requires(Self & process, const timeout& t, context& in) { process.on(t, in); },
            "a process manager that sets timers has a public `void on(const sluice::timeout&, sluice::context&)`");
    }
};

namespace detail {

/// What can name an instance: a text, or one that may be absent.
template <class T>
concept correlation_value = std::convertible_to<const T&, std::string_view> || codec::detail::text_type<T> ||
    (codec::detail::is_optional<T>&& requires(const T& value) {
        requires codec::detail::text_type<typename T::value_type>;
    });

/// A pointer to a member of the event, or something to call with it, that yields what names the instance.
template <class By, class Event>
concept correlates = std::invocable<const By&, const Event&> &&
    correlation_value<std::remove_cvref_t<std::invoke_result_t<const By&, const Event&>>>;

template <correlation_value T>
[[nodiscard]] std::string correlation_text(const T& value) {
    if constexpr (codec::detail::is_optional<T>) {
        return value ? correlation_text(*value) : std::string{};
    } else if constexpr (codec::detail::text_type<T>) {
        return std::string{codec::detail::view_of(value)};
    } else {
        return std::string{std::string_view{value}};
    }
}

/// The member's name, for errors; `correlation` when it is computed.
template <class Event, class By>
[[nodiscard]] std::string correlation_field(const By& by) {
    std::string name = "correlation";
    if constexpr (std::is_member_object_pointer_v<By>) {
        const Event probe{};
        reflect::for_each_field(probe, [&](std::string_view field, const auto& member) {
            if (static_cast<const void*>(&member) == static_cast<const void*>(&(probe.*by))) name = field;
        });
    }
    return name;
}

}  // namespace detail

/// Says which events belong to a process manager, and how each names its instance: by a pointer to the member that
/// does, or by something to call with the event. The value is a text (`identifier`, `string<N>`, …) of 1 to 255
/// characters; an event without one is refused with an error that names event and member.
///
/// Thread safety: none, like declaring. Lifetime: within that of the domain.
template <class Process>
class process_declaration {
public:
    process_declaration(detail::registry& declared, detail::process_entry& entry)
        : declared_{declared}, entry_{entry} {}

    /// Begins an instance. One that exists already goes on with it, so that it does not matter which of several events
    /// comes first.
    template <event_type Event, class By>
    process_declaration& starts(By by) {
        return add<Event>(detail::process_reaction::part::starts, std::move(by));
    }
    /// Belongs to an instance that exists.
    template <event_type Event, class By>
    process_declaration& continues(By by) {
        return add<Event>(detail::process_reaction::part::continues, std::move(by));
    }
    /// The same, and the process is complete afterwards.
    template <event_type Event, class By>
    process_declaration& completes(By by) {
        return add<Event>(detail::process_reaction::part::completes, std::move(by));
    }
    process_declaration& when_missing(sluice::when_missing policy) {
        entry_.retry_when_missing = policy == sluice::when_missing::retry;
        return *this;
    }

private:
    template <class Event, class By>
    process_declaration& add(detail::process_reaction::part role, By by) {
        static_assert(
            requires(Process & process, const Event& event, context& in) { process.on(event, in); },
            "the process manager lacks a public `void on(const Event&, sluice::context&)` for this event");
        static_assert(detail::correlates<By, Event>,
                      "the instance is named by a text of the event: pass a pointer to a member that is an "
                      "sluice::identifier or another text, or a callable that returns one");
        detail::process_reaction reaction;
        reaction.role = role;
        reaction.field = detail::correlation_field<Event>(by);
        reaction.decode = [](const json::value& data) -> std::shared_ptr<const void> {
            return std::make_shared<const Event>(detail::read_event<Event>(data));
        };
        reaction.correlation = [by = std::move(by)](const void* event) {
            return detail::correlation_text(std::invoke(by, *static_cast<const Event*>(event)));
        };
        reaction.run = [](process_root& process, const void* event, context& in) {
            static_cast<Process&>(process).on(*static_cast<const Event*>(event), in);
        };
        declared_.add(entry_, std::string{reflect::type_name<Event>()}, std::move(reaction));
        return *this;
    }

    detail::registry& declared_;
    detail::process_entry& entry_;
};

namespace detail {

/// What a domain knows about a process manager, without its type.
/// @param like  every instance begins as a copy of it
template <class Process>
[[nodiscard]] process_entry make_process_entry(const process_manager_options& options, Process like) {
    static_assert(std::derived_from<Process, sluice::process_manager<Process>>,
                  "a process manager derives publicly from sluice::process_manager<Itself>");
    static_assert(std::default_initializable<Process>, "a process manager has a default constructor");
    process_entry entry;
    entry.cpp_name = reflect::type_name<Process>();
    entry.name = options.name.empty() ? reflect::short_type_name<Process>() : options.name;
    entry.category = options.stream_category;
    entry.database = options.database;
    entry.options = options.subscription;
    entry.fields = &field_tree_of<Process>();
    const auto prototype = std::make_shared<const Process>(std::move(like));
    entry.create = [prototype]() -> std::unique_ptr<process_root> { return std::make_unique<Process>(*prototype); };
    entry.decode = [prototype](const json::value& state) -> std::unique_ptr<process_root> {
        auto process = std::make_unique<Process>(*prototype);
        codec::decode_into(*process, state, codec::unknown_keys::ignore, codec::missing_keys::keep_default);
        return process;
    };
    entry.encode = [](const process_root& process) { return codec::encode(static_cast<const Process&>(process)); };
    entry.validate = [](const process_root& process) { return codec::validate(static_cast<const Process&>(process)); };
    if constexpr (requires(Process & process, const timeout& t, context& in) { process.on(t, in); }) {
        entry.on_timeout = [](process_root& process, const timeout& t, context& in) {
            static_cast<Process&>(process).on(t, in);
        };
    }
    return entry;
}

}  // namespace detail
}  // namespace sluice
