#include <sluice/sluice.hpp>

namespace parcels {
sluice::domain make_domain();
}

int main(int argc, char** argv) { return sluice::run(argc, argv, parcels::make_domain); }
