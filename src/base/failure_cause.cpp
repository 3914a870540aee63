#include "base/failure_cause.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <system_error>

#include <sluice/error.hpp>

namespace sluice::base {

namespace {

bool is_infrastructure(const error& failure) noexcept {
    return dynamic_cast<const store_error*>(&failure) != nullptr ||
           dynamic_cast<const broker_error*>(&failure) != nullptr;
}

/// What the operating system has no more of, whatever asked for it.
bool is_shortage(const std::error_code& code) noexcept {
    static constexpr std::array shortages{std::errc::too_many_files_open,
                                          std::errc::too_many_files_open_in_system,
                                          std::errc::not_enough_memory,
                                          std::errc::no_space_on_device,
                                          std::errc::resource_unavailable_try_again,
                                          std::errc::read_only_file_system,
                                          std::errc::io_error};
    return std::ranges::any_of(shortages, [&](std::errc each) { return code == each; });
}

failure_cause cause_of_ours(const error& failure) noexcept {
    switch (failure.nature()) {
        case error_nature::outage:
            return failure_cause::outage;
        case error_nature::conflict:
            return failure_cause::conflict;
        case error_nature::retryable:
        case error_nature::in_doubt:
            // Errors of the domain's own count: the domain knows no other way to put a message off.
            return is_infrastructure(failure) ? failure_cause::statement : failure_cause::message;
        case error_nature::permanent:
            break;
    }
    return failure_cause::message;
}

}  // namespace

failure_cause cause_of(const std::exception& failure) noexcept {
    if (const auto* ours = dynamic_cast<const error*>(&failure)) return cause_of_ours(*ours);
    if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) return failure_cause::statement;
    const auto* system = dynamic_cast<const std::system_error*>(&failure);
    return system != nullptr && is_shortage(system->code()) ? failure_cause::statement : failure_cause::message;
}

std::string_view to_string(failure_cause cause) noexcept {
    switch (cause) {
        case failure_cause::outage:
            return "outage";
        case failure_cause::conflict:
            return "conflict";
        case failure_cause::statement:
            return "statement";
        case failure_cause::message:
            break;
    }
    return "message";
}

}  // namespace sluice::base
