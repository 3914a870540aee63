#include "store/discard_record.hpp"

#include <sluice/json.hpp>

namespace sluice::store {

std::string discard_record(std::string_view reason, date_time at) {
    return json::dump(json::object{{"reason", "discarded"}, {"message", reason}, {"at", at.to_string()}});
}

}  // namespace sluice::store
