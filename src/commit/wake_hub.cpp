#include "commit/wake_hub.hpp"

#include <algorithm>

namespace sluice::commit {

wake_hub::registration::registration(wake_hub& hub, std::string database, base::wake_signal& signal)
    : hub_{hub}, database_{std::move(database)}, signal_{signal} {
    const std::lock_guard lock{hub_.mutex_};
    hub_.signals_[database_].push_back(&signal_);
}

wake_hub::registration::~registration() {
    const std::lock_guard lock{hub_.mutex_};
    auto& signals = hub_.signals_[database_];
    signals.erase(std::remove(signals.begin(), signals.end(), &signal_), signals.end());
}

void wake_hub::wake(std::string_view database) noexcept {
    const std::lock_guard lock{mutex_};
    const auto found = signals_.find(database);
    if (found == signals_.end()) return;
    for (base::wake_signal* signal : found->second) signal->notify();
}

}  // namespace sluice::commit
