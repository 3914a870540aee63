#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "consume/route.hpp"
#include "operate/installation.hpp"

namespace sluice::operate {

/// One member of an event or a command.
struct declared_field {
    std::string name;
    std::string kind;                      ///< `text`, `list of text`, `struct`, …: that of the table in codec.hpp
    bool required = true;                  ///< not `std::optional`
    std::size_t max_length = 0;            ///< characters; 0: no limit
    std::optional<int> digits{};           ///< after the point, of a decimal
    std::vector<std::string> words{};      ///< of an enum
    std::vector<declared_field> fields{};  ///< of a struct; empty where it contains itself
};

/// A command as it is declared.
struct declared_command {
    std::string name;
    std::string type;
    std::string handler;
    std::string aggregate;  ///< its class
    std::vector<declared_field> fields;
};

/// An event as it is declared.
struct declared_event {
    std::string name;
    std::string type;
    int version = 1;
    bool published = false;
    std::string aggregate;  ///< its class
    std::vector<declared_field> fields;
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
