#include "support/depot_domain.hpp"

SLUICE_DOMAIN(depot::make_domain)
