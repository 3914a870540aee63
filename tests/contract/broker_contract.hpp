#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "broker/broker.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::contract {

/// One broker that the suite is run for.
struct subject {
    std::string name;
    std::function<std::unique_ptr<broker>(const std::filesystem::path& directory)> make;

    friend void PrintTo(const subject& s, std::ostream* out) { *out << s.name; }
};

inline constexpr date_time noon = date_time::from_micros(1'780'000'000'000'000);
inline constexpr duration second{std::chrono::seconds{1}};
inline constexpr duration claim = 30 * second;

/// A message that owns its texts.
struct note {
    std::string id;
    std::string key;
    std::string body = "{}";
    std::string stream = "shop::order";
};

template <class Verdict>
[[nodiscard]] bool is(const verdict& v) {
    return std::holds_alternative<Verdict>(v);
}

[[nodiscard]] std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from = {});
/// Publishes, and fails the test unless everything is delivered.
void deliver(broker& to, const std::vector<note>& notes);
/// `n` messages `{prefix}0`, `{prefix}1`, … whose keys alternate between `keys` keys.
[[nodiscard]] std::vector<note> notes(std::string_view prefix, int n, int keys = 1);

[[nodiscard]] std::vector<std::string> entries_of(const std::vector<delivery>& deliveries);
[[nodiscard]] std::vector<std::string> bodies_of(const std::vector<delivery>& deliveries);
/// Bodies that a new group finds in the stream.
[[nodiscard]] std::vector<std::string> everything_in(broker& in, const std::string& stream = "shop::order");

/// Every broker must pass every test of this suite.
class broker_contract : public ::testing::TestWithParam<subject> {
protected:
    [[nodiscard]] std::unique_ptr<consumer> join(std::string group, std::string name) {
        return broker_->open_consumer("shop::order",
                                      {.group = std::move(group), .consumer = std::move(name), .claim = claim});
    }

    sluice::testing::temporary_directory directory_;
    std::unique_ptr<broker> broker_ = GetParam().make(directory_.path());
};

}  // namespace sluice::broker::contract
