#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace sluice::store {

/// A database in the memory of this process, for tests and for trying things out: the same semantics as the durable
/// ones, gone with the object. All its sessions share one set of tables under one lock.
[[nodiscard]] std::unique_ptr<database> make_memory_database(std::string name);

}  // namespace sluice::store
