#include <sluice/plugin.hpp>

#include "bank.hpp"

SLUICE_DOMAIN(bank::make_domain)
