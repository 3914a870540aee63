#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include <sluice/error.hpp>

#include "store/contended_keys.hpp"
#include "store/read_models.hpp"

/// Refusals that every store says in the same words.
namespace sluice::store {

[[nodiscard]] inline expected_version_error row_has_changed(const row_write& write) {
    return expected_version_error{fmt::format("row {} of read model {} has changed since it was read; handle the event "
                                              "again",
                                              write.key, write.table.layout->name),
                                  row_key(write.table.layout->name, write.key)};
}

[[nodiscard]] inline expected_version_error generation_has_changed(const projection_guard& guard) {
    return expected_version_error{
        fmt::format("read model {} was rebuilt meanwhile and is no longer at generation {}; handle the event again",
                    guard.name, guard.generation)};
}

[[nodiscard]] inline rebuild_superseded superseded(std::string_view name) {
    return rebuild_superseded{fmt::format(
        "read model {} is being rebuilt by somebody else; `sluice projection list` shows how far it is", name)};
}

}  // namespace sluice::store
