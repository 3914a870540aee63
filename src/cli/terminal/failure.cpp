#include "cli/terminal/failure.hpp"

#include "operate/refusal.hpp"

namespace sluice::cli {

namespace {

exit_code how_to_end(const operate::refusal& refused) {
    return refused.why() == operate::refusal::reason::wrong_request ? exit_code::usage : exit_code::failed;
}

}  // namespace

verdict_on_error judge(const std::exception& caught, exit_code foreign) {
    const auto* known = dynamic_cast<const error*>(&caught);
    if (known == nullptr) {
        return {foreign, foreign == exit_code::internal ? "internal_error" : "handler_failed", caught.what()};
    }
    verdict_on_error verdict{exit_code::failed, known->code(), known->what()};
    if (const auto* own = dynamic_cast<const failure*>(known)) {
        verdict.how = own->how();
    } else if (const auto* refused = dynamic_cast<const operate::refusal*>(known)) {
        verdict.how = how_to_end(*refused);
    } else if (dynamic_cast<const configuration_error*>(known) != nullptr) {
        verdict.how = exit_code::configuration;
    } else if (dynamic_cast<const store_error*>(known) != nullptr ||
               dynamic_cast<const broker_error*>(known) != nullptr) {
        verdict.how = exit_code::unavailable;
    }
    return verdict;
}

}  // namespace sluice::cli
