#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "operate/installation.hpp"
#include "operate/page_search.hpp"
#include "process/transition.hpp"
#include "store/records.hpp"

namespace sluice::operate {

/// Which instances of process managers.
struct process_filter {
    std::string process{};  ///< name of the process manager; empty: any
    bool open_only = false;
    std::size_t limit = 100;
};

/// One step of an instance.
struct process_step {
    std::int64_t position = 0;
    date_time at;
    process::process_transition transition{};
};

/// One instance as its last step shows it.
struct process_view {
    std::string process;  ///< `shop.Payment`
    std::string correlation;
    std::string stream;
    process_step last{};
};

/// A part of the list of instances. Where those that match are rare, it ends when its time is up.
struct process_page {
    std::vector<process_view> elements{};
    std::string next{};         ///< where the next one begins; empty: there is none
    bool is_cut_short = false;  ///< its time was up: the next page looks further
};

/// An instance with its newest steps, oldest first.
struct process_history {
    process_view instance{};
    std::vector<process_step> steps{};
};

/// `open`, `complete`.
[[nodiscard]] const char* state_of(const process::process_transition& last) noexcept;

/// By process manager and correlation, at most `limit`.
/// @throws request_error for a name that no process manager has; configuration_error, store_error
[[nodiscard]] std::vector<process_view> list_processes(const detail::registry& domain, const installation& with,
                                                       const process_filter& filter);
/// The same in parts. @param from  `next` of the page before; empty: the beginning
/// @throws also request_error for a `from` that is none
[[nodiscard]] process_page page_of_processes(const detail::registry& domain, const installation& with,
                                             const process_filter& filter, std::string_view from,
                                             const page_budget& budget = {});
/// @param limit  steps that are read, the newest
/// @throws request_error when there is no such process manager or instance; configuration_error, store_error
[[nodiscard]] process_history read_process(const detail::registry& domain, const installation& with,
                                           const std::string& process, const std::string& correlation,
                                           std::size_t limit);

[[nodiscard]] json::value to_json(const std::vector<process_view>& instances);
[[nodiscard]] json::value to_json(const process_page& page);
[[nodiscard]] json::value to_json(const process_history& history);

}  // namespace sluice::operate
