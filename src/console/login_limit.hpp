#pragma once

#include <cstddef>
#include <map>
#include <string>

#include <sluice/time.hpp>

namespace sluice::console {

/// How often a password may be tried. Counts failures of each address, and of each address with each name, so that
/// nobody can lock somebody else out from elsewhere. Pure: the time is given.
///
/// Thread safety: none.
class login_limit {
public:
    static constexpr int most_of_a_name = 5;       ///< failures of one name from one address
    static constexpr int most_of_an_address = 20;  ///< failures from one address
    static constexpr duration period = std::chrono::minutes{5};

    /// False: it must not be tried now, whether or not the password is right.
    [[nodiscard]] bool may_try(const std::string& address, const std::string& name, instant now);
    void failed(const std::string& address, const std::string& name, instant now);
    void succeeded(const std::string& address, const std::string& name);

private:
    struct failures {
        int count = 0;
        instant since{};
    };
    static constexpr std::size_t most_remembered = 10'000;

    [[nodiscard]] int count_of(const std::string& key, instant now);
    void add(const std::string& key, instant now);

    std::map<std::string, failures> failures_{};
};

}  // namespace sluice::console
