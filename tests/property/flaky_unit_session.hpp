#pragma once

#include <memory>
#include <utility>

#include <sluice/error.hpp>

#include "base/random.hpp"
#include "support/forwarding_store.hpp"

namespace sluice::testing {

/// How often a commit dies on its way, and how often its answer does: the process or its connection is gone then.
struct commit_deaths {
    double before = 0;
    double after = 0;
    base::random_source* random = nullptr;
    int after_count = 0;  ///< commits that took effect without anybody being told
};

/// A unit session whose commits die now and then; what it reads is right.
class flaky_unit_session final : public forwarding_unit {
public:
    flaky_unit_session(std::unique_ptr<store::unit_session> behind, commit_deaths& deaths)
        : forwarding_unit{std::move(behind)}, deaths_{deaths} {}

    void commit(const store::commit_batch& batch) override {
        if (deaths_.random->uniform() < deaths_.before) {
            throw store_error{"the connection died before the commit", error_nature::retryable};
        }
        forwarding_unit::commit(batch);
        if (deaths_.random->uniform() < deaths_.after) {
            ++deaths_.after_count;
            throw store_error{"the connection died before the answer", error_nature::in_doubt};
        }
    }

private:
    commit_deaths& deaths_;
};

/// The database as units of work see it; everybody else uses the one behind.
class dying_database final : public forwarding_database {
public:
    dying_database(std::shared_ptr<store::database> behind, commit_deaths& deaths)
        : forwarding_database{std::move(behind)}, deaths_{deaths} {}

    [[nodiscard]] std::unique_ptr<store::unit_session> open_unit() override {
        return std::make_unique<flaky_unit_session>(forwarding_database::open_unit(), deaths_);
    }

private:
    commit_deaths& deaths_;
};

}  // namespace sluice::testing
