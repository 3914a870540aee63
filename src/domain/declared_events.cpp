#include "domain/declared_events.hpp"

namespace sluice::detail {

void require_declared(std::vector<std::string>& problems, const registry& domain, const std::string& what,
                      const std::string& event) {
    if (domain.events.contains(event)) return;
    const bool is_fact = event.starts_with("sluice::fact<");
    problems.push_back(
        what + " names event `" + event + "`, which is not declared; " +
        (is_fact ? "let its aggregate have facts, for example `.facts = sluice::facts::internal` in aggregate_options"
                 : "add it to `.events<…>()` of its aggregate"));
}

}  // namespace sluice::detail
