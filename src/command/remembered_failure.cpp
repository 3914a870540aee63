#include "command/remembered_failure.hpp"

#include <utility>
#include <vector>

#include <sluice/json.hpp>

namespace sluice::command {

namespace {

/// An error of a class that only the domain knows.
class remembered_error final : public error {
public:
    remembered_error(std::string code, const std::string& what) : error{what}, code_{std::move(code)} {}
    [[nodiscard]] const char* code() const noexcept override { return code_.c_str(); }

private:
    std::string code_;
};

json::array encode(const std::vector<violation>& violations) {
    json::array written;
    for (const auto& [field, message] : violations) {
        written.emplace_back(json::object{{"field", field}, {"message", message}});
    }
    return written;
}

std::vector<violation> decode(const json::array& written) {
    std::vector<violation> violations;
    for (const json::value& each : written) {
        violations.push_back({each.at("field").as_string(), each.at("message").as_string()});
    }
    return violations;
}

template <class... Kinds>
bool is_any_of(const error& failure) noexcept {
    return ((dynamic_cast<const Kinds*>(&failure) != nullptr) || ...);
}

}  // namespace

bool is_answer(const error& failure) noexcept {
    if (failure.retryable() || failure.in_doubt()) return false;
    return !is_any_of<store_error, broker_error, configuration_error, deadline_error>(failure);
}

std::string encode_failure(const error& failure) {
    json::object written{{"code", failure.code()}, {"message", failure.what()}};
    if (const auto* invalid = dynamic_cast<const validation_error*>(&failure)) {
        written.set("subject", invalid->subject());
        written.set("violations", encode(invalid->violations()));
    }
    return json::dump(written);
}

void throw_failure(std::string_view content) {
    const json::value written = json::parse(content);
    const std::string& code = written.at("code").as_string();
    const std::string& message = written.at("message").as_string();
    if (code == "validation_error") {
        throw validation_error{written.at("subject").as_string(), decode(written.at("violations").as_array())};
    }
    if (code == "not_found") throw not_found_error{message};
    if (code == "usage_error") throw usage_error{message};
    if (code == "decode_error") throw decode_error{message};
    throw remembered_error{code, message};
}

}  // namespace sluice::command
