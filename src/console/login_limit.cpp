#include "console/login_limit.hpp"

#include <algorithm>

namespace sluice::console {

namespace {

std::string pair_key(const std::string& address, const std::string& name) { return address + '\n' + name; }

}  // namespace

bool login_limit::may_try(const std::string& address, const std::string& name, instant now) {
    return count_of(pair_key(address, name), now) < most_of_a_name && count_of(address, now) < most_of_an_address;
}

void login_limit::failed(const std::string& address, const std::string& name, instant now) {
    add(pair_key(address, name), now);
    add(address, now);
}

void login_limit::succeeded(const std::string& address, const std::string& name) {
    failures_.erase(pair_key(address, name));
}

int login_limit::count_of(const std::string& key, instant now) {
    const auto found = failures_.find(key);
    if (found == failures_.end()) return 0;
    if (now - found->second.since < period) return found->second.count;
    failures_.erase(found);
    return 0;
}

void login_limit::add(const std::string& key, instant now) {
    static_cast<void>(count_of(key, now));  // forgets what is over
    if (failures_.size() >= most_remembered && !failures_.contains(key)) {
        failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& each) { return each.second.since; }));
    }
    failures& known = failures_[key];
    if (known.count++ == 0) known.since = now;
}

}  // namespace sluice::console
