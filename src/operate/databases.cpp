#include "operate/databases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "operate/request_error.hpp"
#include "projection/read_model_setup.hpp"

namespace sluice::operate {

namespace {

constexpr std::size_t most_rows_of_a_lane = 2'000'000;

json::value fault_json(const store::history_fault& fault) {
    return json::object{
        {"code", fault.code}, {"element", fault.element}, {"message", fault.message}, {"remedy", fault.remedy}};
}

json::value schema_json(const schema_view& of) {
    json::array faults;
    for (const store::history_fault& fault : of.faults) faults.push_back(fault_json(fault));
    return json::object{{"database", of.database},
                        {"provider", of.provider},
                        {"schema", of.schema.applied},
                        {"expected", of.schema.expected},
                        {"current", of.is_current()},
                        {"pending", json::array{of.schema.pending.begin(), of.schema.pending.end()}},
                        {"domain", of.history.domain},
                        {"identity", of.history.identity},
                        {"incarnation", static_cast<std::int64_t>(of.history.incarnation)},
                        {"faults", std::move(faults)}};
}

}  // namespace

database_setup set_up(const std::string& name, store::database& database, const std::string& domain) {
    const int before = database.schema().applied;
    database.setup();
    if (!domain.empty()) database.claim(domain);
    const int after = database.schema().applied;
    return {.database = name, .provider = database.describe(), .before = before, .after = after};
}

std::vector<std::string> make_read_models(const site& at, const installation& with) {
    if (!at.knows_domain()) return {};
    const auto declared = load_domain(at);
    config::require_no_errors(config::findings_of(*declared, with.configuration));
    return projection::create_read_models(declared->declared(), with.parts);
}

bool schema_view::is_sound() const {
    return std::ranges::none_of(faults, [](const store::history_fault& fault) { return fault.fatal; });
}

schema_view read_schema(const std::string& name, store::database& database) {
    schema_view view{.database = name, .provider = {}, .schema = database.schema()};
    // Nothing more of an empty database, or of one that another Sluice has set up.
    if (view.is_current()) {
        view.history = database.history();
        view.faults = database.faults(most_rows_of_a_lane);
    }
    view.provider = database.describe();
    return view;
}

store::adoption to_adoption(const site& at, const installation& with, const adoption_request& asked) {
    if (!asked.database.empty() && !with.parts.databases.contains(asked.database)) {
        throw wrong_request(fmt::format("no database `{}` is configured", asked.database));
    }
    store::adoption how{.copy = asked.copy};
    if (asked.rename) {
        how.domain = domain_name(at);
        if (how.domain.empty()) throw wrong_request("--rename takes the new name from the domain; add --domain=…");
    }
    return how;
}

adopted_database adopt(const std::string& name, store::database& database, const store::adoption& how) {
    store::adopted done = database.adopt(how);
    return {.database = name, .provider = database.describe(), .done = std::move(done)};
}

json::value to_json(const std::vector<database_setup>& databases, const std::vector<std::string>& read_models) {
    json::array list;
    for (const database_setup& each : databases) {
        list.push_back(json::object{
            {"database", each.database}, {"provider", each.provider}, {"before", each.before}, {"schema", each.after}});
    }
    return json::object{{"databases", std::move(list)},
                        {"read_models", json::array{read_models.begin(), read_models.end()}}};
}

json::value to_json(const std::vector<schema_view>& databases) {
    json::array list;
    for (const schema_view& each : databases) list.push_back(schema_json(each));
    return json::object{{"databases", std::move(list)}};
}

json::value to_json(const std::vector<adopted_database>& databases) {
    json::array list;
    for (const auto& [database, provider, done] : databases) {
        list.push_back(json::object{{"database", database},
                                    {"identity", done.identity},
                                    {"incarnation", static_cast<std::int64_t>(done.incarnation)},
                                    {"lanes", static_cast<std::int64_t>(done.lanes)},
                                    {"reopened", static_cast<std::int64_t>(done.reopened)}});
    }
    return json::object{{"databases", std::move(list)}};
}

}  // namespace sluice::operate
