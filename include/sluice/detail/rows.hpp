#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

/// Rows of read models without their types: between the public templates, the unit of work and the stores. Users do not
/// need it.
namespace sluice::detail {

/// What a column holds. Everything that is not one of the others is kept as JSON.
enum class column_kind { text, integer, real, boolean, time, json, date, decimal, duration };

struct table_column {
    std::string name;
    column_kind kind = column_kind::text;
    bool optional = false;
    int digits = 0;  ///< after the point, of a decimal

    friend bool operator==(const table_column&, const table_column&) = default;
};

/// The table of a read model, as its struct and its declaration describe it.
struct table_layout {
    std::string name;                   ///< `order_summary`: what people query
    std::vector<table_column> columns;  ///< in the order of the struct
    std::string key;                    ///< the column that identifies a row: the first identifier
    std::vector<std::vector<std::string>> indexes{};
    int version = 1;
    std::string fingerprint{};  ///< of name, columns, key and version; set by the registry

    [[nodiscard]] const table_column* find(std::string_view column) const noexcept {
        for (const table_column& each : columns) {
            if (each.name == column) return &each;
        }
        return nullptr;
    }
};

enum class comparison_kind { equal, not_equal, less, less_or_equal, greater, greater_or_equal, missing, present };

/// A condition on one column.
struct row_condition {
    std::string column;
    comparison_kind how = comparison_kind::equal;
    json::value value{};  ///< a JSON scalar of the column's kind; nothing for `missing` and `present`
};

struct row_order {
    std::string column;
    bool descending = false;
};

/// Rows that meet every condition, in the order given and within it by key. Missing values come last, or first when
/// the order is descending.
struct row_query {
    std::vector<row_condition> where{};
    std::vector<row_order> order{};
    std::size_t limit = 1000;
    std::size_t offset = 0;
};

/// What a projector works on: the rows of one read model as one unit of work sees them. Rows are JSON objects.
class row_set {
public:
    virtual ~row_set() = default;
    [[nodiscard]] virtual std::optional<std::string> find(std::string_view key) = 0;
    virtual void put(std::string key, std::string row) = 0;
    virtual void remove(std::string_view key) = 0;
};

/// The committed rows of one read model.
class row_source {
public:
    virtual ~row_source() = default;
    [[nodiscard]] virtual const table_layout& layout() const noexcept = 0;
    [[nodiscard]] virtual std::optional<std::string> find(std::string_view key) = 0;
    [[nodiscard]] virtual std::vector<std::string> select(const row_query& query) = 0;
    [[nodiscard]] virtual std::int64_t count(const row_query& query) = 0;
};

/// @throws usage_error  the column does not exist (with the nearest name), holds JSON, or is of another kind than the
///         value
void require_usable(const table_layout& in, const row_condition& condition);
/// @throws usage_error  the column does not exist, or holds JSON
void require_usable(const table_layout& in, const row_order& order);

}  // namespace sluice::detail
