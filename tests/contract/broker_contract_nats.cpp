#include "broker/nats/nats_broker.hpp"
#include "contract/broker_contract.hpp"
#include "contract/helped_broker.hpp"
#include "support/nats_server.hpp"

namespace sluice::broker::contract {
namespace {

/// One server for all tests of the process; each begins with an empty one.
std::unique_ptr<broker> make_on_empty_nats(const std::filesystem::path& /*directory*/, const clock& server_time) {
    static const sluice::testing::temporary_directory directory;
    static sluice::testing::nats_server server{directory / "nats"};
    server.delete_all_streams();
    return std::make_unique<helped_broker>(
        make_nats_broker({.uri = server.uri(), .create_stream = true, .server_time = &server_time}));
}

INSTANTIATE_TEST_SUITE_P(
    nats_broker, broker_contract,
    ::testing::Values(subject{
        .name = "nats", .make = make_on_empty_nats, .fences = false, .fences_members = false, .shares_groups = false}),
    [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace sluice::broker::contract
