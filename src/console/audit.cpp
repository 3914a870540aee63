#include "console/audit.hpp"

#include <algorithm>
#include <utility>

#include "base/one_line.hpp"
#include "observe/log.hpp"
#include "operate/json_forms.hpp"

namespace sluice::console {

void audit_log::write(audit_entry entry) {
    entry.at = clock_.now();
    entry.target = base::one_line(entry.target);
    entry.error = base::one_line(entry.error);
    entry.who = base::one_line(entry.who, 100);
    observe::log(entry.error.empty() ? observe::level::info : observe::level::warn, "console.action",
                 {{"user", entry.who},
                  {"by", entry.by},
                  {"client", entry.client},
                  {"action", entry.action},
                  {"context", entry.context},
                  {"target", entry.target},
                  {"count", entry.count},
                  {"error", entry.error}});
    const std::lock_guard lock{mutex_};
    entries_.push_front(std::move(entry));
    if (entries_.size() > most_kept) entries_.pop_back();
}

std::vector<audit_entry> audit_log::latest(std::size_t limit) const {
    const std::lock_guard lock{mutex_};
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, entries_.size()));
    return {entries_.begin(), entries_.begin() + count};
}

json::value to_json(const audit_entry& entry) {
    return json::object{{"at", entry.at.to_string()},
                        {"user", operate::text_or_null(entry.who)},
                        {"by", entry.by},
                        {"client", entry.client},
                        {"action", entry.action},
                        {"context", operate::text_or_null(entry.context)},
                        {"target", entry.target},
                        {"count", entry.count},
                        {"error", operate::text_or_null(entry.error)}};
}

}  // namespace sluice::console
