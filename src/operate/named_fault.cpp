#include "operate/named_fault.hpp"

#include <utility>

#include "operate/json_forms.hpp"

namespace sluice::operate {

std::vector<named_fault> name_faults(store::operations_session& in, const std::vector<store::audit_fault>& faults) {
    std::vector<named_fault> named;
    named.reserve(faults.size());
    for (const auto& fault : faults) {
        named_fault one{.fault = fault};
        for (auto& found : in.events({.after = fault.seq - 1, .upto = fault.seq, .limit = 1})) {
            one.message_id = std::move(found.event.message_id);
            one.stream = std::move(found.event.stream);
            one.type = std::move(found.event.type);
        }
        named.push_back(std::move(one));
    }
    return named;
}

json::value to_json(const std::vector<named_fault>& faults) {
    json::array all;
    all.reserve(faults.size());
    for (const auto& each : faults) {
        all.push_back(json::object{{"fault", store::to_string(each.fault.what)},
                                   {"seq", each.fault.seq},
                                   {"message_id", text_or_null(each.message_id)},
                                   {"stream", text_or_null(each.stream)},
                                   {"type", text_or_null(each.type)}});
    }
    return all;
}

}  // namespace sluice::operate
