#include <iostream>
#include <sluice/test.hpp>

namespace parcels {
sluice::domain make_domain();
}

int main() {
    sluice::test::runtime service{parcels::make_domain(), {.external_brokers = {"partner"}}};
    const auto command = sluice::json::parse(R"({"parcel_id": "p-1", "grams": 250, "destination": "Lisbon"})");
    service.context().process("SendParcel", command);
    service.drain();
    for (const auto& message : service.published("partner")) std::cout << message.type().name() << '\n';
}
