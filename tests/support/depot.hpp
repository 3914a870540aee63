#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "projection/read_model_setup.hpp"
#include "support/depot_domain.hpp"

namespace depot {

/// The domain over a database that is set up. Nothing runs: a test commits, and hands events to projectors.
struct fixture {
    explicit fixture(std::shared_ptr<sluice::store::database> on, sluice::domain declared = make_domain())
        : domain{std::move(declared)}, database{std::move(on)} {
        make_environment({}, random);
    }
    /// For an engine, whose threads share the chance.
    fixture(std::shared_ptr<sluice::store::database> on, std::shared_ptr<sluice::broker::broker> internal)
        : domain{make_domain()}, database{std::move(on)} {
        make_environment(std::move(internal), sluice::base::system_random());
    }

    void create_tables() { sluice::projection::create_read_models(domain.declared(), env->parts()); }
    [[nodiscard]] sluice::context context() { return sluice::command::make_context(*env); }

    /// Runs `body(context)` in a unit of work.
    template <class Body>
    void commit(const Body& body) {
        sluice::context in = context();
        sluice::unit_of_work work{in};
        body(in);
        work.commit();
    }
    void pack(const std::string& crate, const std::string& customer = "ada") {
        commit([&](sluice::context& in) { in.repository<Crate>().add(Crate{crate, customer}); });
    }
    void add(const std::string& crate, int pieces) {
        commit([&](sluice::context& in) { in.repository<Crate>().get(crate).add(pieces); });
    }

    [[nodiscard]] const sluice::detail::projector_entry& projector(const std::string& table) const {
        for (const auto& each : domain.declared().projectors) {
            if (each.table.name == table) return each;
        }
        throw sluice::usage_error{"no read model " + table};
    }
    /// The whole log.
    [[nodiscard]] std::vector<sluice::store::stream_event> log() {
        return database->open_operations()->events({.limit = 1'000'000});
    }

    void make_environment(std::shared_ptr<sluice::broker::broker> internal, sluice::base::random_source& chance) {
        database->setup();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        if (internal) parts.brokers.emplace("default", std::move(internal));
        domain.validate();
        env = std::make_unique<sluice::commit::environment>(domain.declared(), sluice::config::configuration{}, parts,
                                                            sluice::system_clock(), chance);
    }

    sluice::domain domain;
    std::shared_ptr<sluice::store::database> database;
    sluice::base::seeded_random random{7};
    std::unique_ptr<sluice::commit::environment> env;
};

}  // namespace depot
