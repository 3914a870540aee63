#include <sluice/plugin.hpp>

#include <stdexcept>

namespace {
sluice::domain make_domain() { throw std::runtime_error{"the stars are wrong"}; }
}  // namespace

SLUICE_DOMAIN(make_domain)
