#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "support/forwarding_store.hpp"

namespace sluice::testing {

/// What a test does around a commit. What it throws is what the caller of the commit gets.
using meddling = std::function<void(const store::commit_batch&)>;

/// A unit session that lets a test act around its commits; what it reads is right.
class meddled_unit final : public forwarding_unit {
public:
    meddled_unit(std::unique_ptr<store::unit_session> behind, const meddling& before, const meddling& after)
        : forwarding_unit{std::move(behind)}, before_{before}, after_{after} {}

    void commit(const store::commit_batch& batch) override {
        meddle(before_, batch);
        forwarding_unit::commit(batch);
        meddle(after_, batch);
    }

private:
    /// Calls a copy, because what is called may replace itself.
    static void meddle(meddling what, const store::commit_batch& batch) {
        if (what) what(batch);
    }

    const meddling& before_;
    const meddling& after_;
};

/// A database whose units' commits a test watches, refuses, or outruns; everybody else uses the one behind.
///
/// Thread safety: what is done around a commit is set while nobody commits, or by itself.
/// Lifetime: outlives its sessions.
class meddled_database final : public forwarding_database {
public:
    using forwarding_database::forwarding_database;

    [[nodiscard]] std::unique_ptr<store::unit_session> open_unit() override {
        return std::make_unique<meddled_unit>(forwarding_database::open_unit(), before_commit, after_commit);
    }

    meddling before_commit;  ///< with an error: nothing is committed
    meddling after_commit;   ///< with an error: it is committed, and the caller does not know
};

}  // namespace sluice::testing
