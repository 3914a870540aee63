#pragma once

#include <string>
#include <vector>

#include "store/postgresql/failure.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/records.hpp"

namespace sluice::store::postgresql {

/// A unit's batch as the arguments of `sluice_commit`, and that function's refusals in a person's words.
///
/// Marks and states travel sorted: then two units take their locks in the same order and never wait in a circle.
///
/// Lifetime: shorter than the batch's.
class commit_call {
public:
    explicit commit_call(const commit_batch& batch);

    [[nodiscard]] parameters arguments() const;

    /// Throws what the refusal means to a unit of work.
    /// @throws expected_version_error, duplicate_message
    /// @throws statement_error  anything else
    [[noreturn]] void explain(const statement_error& refusal) const;

private:
    const commit_batch& batch_;
    std::vector<const state_write*> states_;
    std::vector<const inbox_mark*> marks_;
};

[[nodiscard]] std::string commit_sql();

}  // namespace sluice::store::postgresql
