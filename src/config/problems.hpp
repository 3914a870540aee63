#pragma once

#include <string>
#include <vector>

#include <sluice/error.hpp>

namespace sluice::config {

/// One thing that is wrong in a configuration file. No member holds a secret.
struct problem {
    int line = 0;           ///< 0 when no line is to blame, for example for a missing key
    std::string key{};      ///< `outbox.retry.max_attempts`
    std::string value{};    ///< as shown to people, `"defualt"`; empty when there is none to show
    std::string message{};  ///< what is wrong
    std::string remedy{};   ///< what to do

    friend bool operator==(const problem&, const problem&) = default;
};

/// `domain.toml:7: outbox.broker = "defualt": names no broker; did you mean "default"?`
[[nodiscard]] std::string to_text(const std::string& file, const problem& found);

/// Everything that is wrong in one configuration file, in the order of its lines.
class invalid_configuration : public configuration_error {
public:
    /// @param problems  at least one
    invalid_configuration(const std::string& file, std::vector<problem> problems);

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] const std::vector<problem>& problems() const noexcept { return problems_; }

private:
    std::string file_;
    std::vector<problem> problems_;
};

}  // namespace sluice::config
