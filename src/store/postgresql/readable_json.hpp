#pragma once

#include <string>
#include <string_view>

namespace sluice::store::postgresql {

/// An SQL expression for a column of type json whose members can be read. PostgreSQL keeps `\u0000` in the text of a
/// json value and then fails for every member that is asked of it, so one old row would stop a query over all of them.
/// Such characters read as U+FFFD.
[[nodiscard]] inline std::string readable_json(std::string_view column) {
    const std::string name{column};
    return "CASE WHEN strpos(" + name + R"sql(::text, '\u0000') = 0 THEN )sql" + name + " ELSE regexp_replace(" + name +
           R"sql(::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::json END)sql";
}

}  // namespace sluice::store::postgresql
