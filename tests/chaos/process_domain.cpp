#include "support/bank.hpp"

/// The bank in a hurry: a transfer that does not arrive comes back after a moment, which many kills fall into.
namespace {

sluice::domain make_hurried_domain() {
    bank::patience = std::chrono::milliseconds{300};
    return bank::make_domain();
}

}  // namespace

SLUICE_DOMAIN(make_hurried_domain)
