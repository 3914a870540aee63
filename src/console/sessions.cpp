#include "console/sessions.hpp"

#include <algorithm>

#include "base/sha256.hpp"
#include "console/secrets.hpp"

namespace sluice::console {

std::string session_store::open(const std::string& user) {
    std::string id = make_secret(random_);
    const instant now = clock_.monotonic_now();
    const std::lock_guard lock{mutex_};
    remove_ended(now);
    if (sessions_.size() >= limits_.most) {
        sessions_.erase(std::ranges::min_element(sessions_, {}, [](const auto& each) { return each.second.seen; }));
    }
    sessions_.insert_or_assign(base::sha256_hex(id), session{.user = user, .begin = now, .seen = now});
    return id;
}

std::optional<std::string> session_store::user_of(std::string_view id, bool in_use) {
    const std::string digest = base::sha256_hex(id);
    const instant now = clock_.monotonic_now();
    const std::lock_guard lock{mutex_};
    const auto found = sessions_.find(digest);
    if (found == sessions_.end()) return std::nullopt;
    if (has_ended(found->second, now)) {
        sessions_.erase(found);
        return std::nullopt;
    }
    if (in_use) found->second.seen = now;
    return found->second.user;
}

void session_store::close(std::string_view id) {
    const std::string digest = base::sha256_hex(id);
    const std::lock_guard lock{mutex_};
    sessions_.erase(digest);
}

std::size_t session_store::size() const {
    const std::lock_guard lock{mutex_};
    return sessions_.size();
}

void session_store::remove_ended(instant now) {
    std::erase_if(sessions_, [&](const auto& each) { return has_ended(each.second, now); });
}

bool session_store::has_ended(const session& each, instant now) const {
    return now - each.begin >= limits_.lifetime || now - each.seen >= limits_.idle;
}

}  // namespace sluice::console
