#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "consume/route.hpp"
#include "operate/installation.hpp"

namespace sluice::operate {

/// A command as it is declared.
struct declared_command {
    std::string name;
    std::string type;
    std::string handler;
    std::string aggregate;  ///< its class
    std::vector<detail::field_schema> fields;
};

/// An event as it is declared.
struct declared_event {
    std::string name;
    std::string type;
    int version = 1;
    bool published = false;
    std::string aggregate;  ///< its class
    std::vector<detail::field_schema> fields;
};

/// A kind of aggregate as it is declared.
struct declared_aggregate {
    std::string name;
    std::string class_name;
    std::string stream;  ///< the category of its streams
    std::string database;
    std::string kept_as;  ///< `state`, `events` or `elsewhere`
};

/// A read model as it is declared.
struct declared_read_model {
    std::string name;
    std::string projector;  ///< its class
    std::string key;        ///< the column
    std::vector<std::string> columns;
};

/// What a domain consists of, in the order of its declaration's names.
struct domain_view {
    std::string name;
    std::vector<declared_aggregate> aggregates{};
    std::vector<declared_command> commands{};
    std::vector<declared_event> events{};
    std::vector<declared_read_model> read_models{};
    std::vector<consume::route> handlers{};
};

/// Pure.
[[nodiscard]] domain_view view_domain(const detail::registry& domain, std::vector<consume::route> routes);
/// Commands and events stand below their aggregates.
[[nodiscard]] json::value to_json(const domain_view& domain);

}  // namespace sluice::operate
