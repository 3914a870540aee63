#include "broker/broker.hpp"

#include <sluice/error.hpp>

#include "broker/keeperless_operations.hpp"

namespace sluice::broker {
namespace {

/// Of a broker that only takes messages.
class no_operations final : public keeperless_operations {
public:
    [[nodiscard]] std::vector<group_status> groups() override { return {}; }
    [[nodiscard]] std::vector<known_group> known_groups() override { return {}; }
    std::size_t rename_group(std::string_view /*from*/, std::string_view /*to*/) override { return 0; }
    std::size_t retire_group(std::string_view /*stream*/, std::string_view /*group*/) override { return 0; }
};

}  // namespace

std::unique_ptr<reader> broker::open_reader(const std::vector<std::string>& /*streams*/, const membership& /*member*/) {
    throw usage_error{describe() + " takes messages and cannot be read"};
}

std::unique_ptr<operations> broker::open_operations() { return std::make_unique<no_operations>(); }

}  // namespace sluice::broker
