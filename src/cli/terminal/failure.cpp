#include "cli/terminal/failure.hpp"

#include "operate/request_error.hpp"

namespace sluice::cli {

namespace {

exit_code how_to_end(const operate::request_error& wrong) {
    return wrong.why() == operate::request_error::reason::wrong_request ? exit_code::usage : exit_code::failed;
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
    } else if (const auto* wrong = dynamic_cast<const operate::request_error*>(known)) {
        verdict.how = how_to_end(*wrong);
    } else if (dynamic_cast<const configuration_error*>(known) != nullptr) {
        verdict.how = exit_code::configuration;
    } else if (dynamic_cast<const store_error*>(known) != nullptr ||
               dynamic_cast<const broker_error*>(known) != nullptr) {
        verdict.how = exit_code::unavailable;
    }
    return verdict;
}

}  // namespace sluice::cli
