#include "operate/snapshots.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <vector>

#include <sluice/error.hpp>

#include "commit/snapshot.hpp"
#include "config/section.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

constexpr std::size_t streams_of_a_page = 500;

void visit(commit::environment& env, const detail::aggregate_entry& type, const std::string& stream,
           snapshots_outcome& outcome, snapshots_host& host) {
    const std::string id = stream.substr(type.category.size() + 1);
    try {
        if (commit::is_fact_stream(env, type, stream)) return;
        const auto result = commit::create_snapshot(env, type, id);
        if (!result) return;
        ++(result->is_new ? outcome.written : outcome.current);
    } catch (const store_error&) {
        throw;  // the next ones fare no better
    } catch (const std::exception& e) {
        ++outcome.failed;
        host.failed(id, e.what());
    }
    host.progress(outcome);
}

}  // namespace

const detail::aggregate_entry& sourced_aggregate(const detail::registry& domain, const std::string& name) {
    const detail::aggregate_entry* const found = domain.aggregate_by_name(name);
    if (found != nullptr && found->sourcing) return *found;
    if (found != nullptr) {
        throw wrong_request(fmt::format(
            "aggregate {} is stored as its state and has no snapshots; only event-sourced ones have", name));
    }
    std::vector<std::string> names;
    for (const auto& [cpp_name, entry] : domain.aggregates) {
        if (entry.sourcing) names.push_back(entry.name);
    }
    throw wrong_request(
        fmt::format("domain {} has no aggregate `{}`; {}", domain.name, name,
                    config::did_you_mean(name, names, "event-sourced are", "none of its aggregates is event-sourced")));
}

snapshot_view create_snapshot(commit::environment& env, const detail::aggregate_entry& type, const std::string& id) {
    const auto result = commit::create_snapshot(env, type, id);
    if (!result) throw not_found(fmt::format("there is no {} with identity `{}`", type.name, id));
    return {.aggregate = type.name, .id = id, .version = result->version, .is_new = result->is_new};
}

snapshots_outcome create_snapshots(commit::environment& env, const detail::aggregate_entry& type,
                                   snapshots_host& host) {
    snapshots_outcome outcome{.aggregate = type.name};
    const auto session = env.parts().databases.at(type.database)->open_operations();
    std::string after;
    for (auto page = session->streams(type.category, after, streams_of_a_page); !page.empty();
         page = session->streams(type.category, after, streams_of_a_page)) {
        for (const std::string& stream : page) visit(env, type, stream, outcome, host);
        after = page.back();
    }
    return outcome;
}

json::value to_json(const snapshot_view& snapshot) {
    return json::object{{"aggregate", snapshot.aggregate},
                        {"id", snapshot.id},
                        {"version", snapshot.version},
                        {"written", snapshot.is_new}};
}

json::value to_json(const snapshots_outcome& outcome) {
    return json::object{{"aggregate", outcome.aggregate},
                        {"written", outcome.written},
                        {"current", outcome.current},
                        {"failed", outcome.failed}};
}

}  // namespace sluice::operate
