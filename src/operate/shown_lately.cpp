#include "operate/shown_lately.hpp"

namespace sluice::operate {

shown_lately::news shown_lately::see(store::sequence number, const std::string& part, std::string state) {
    const auto [found, is_new] = states_.try_emplace({number, part}, state);
    const news result = is_new ? news::unknown : found->second == state ? news::same : news::changed;
    found->second = std::move(state);
    if (states_.size() > most_) states_.erase(states_.begin());
    return result;
}

}  // namespace sluice::operate
