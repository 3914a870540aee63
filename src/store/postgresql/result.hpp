#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/date.hpp>
#include <sluice/time.hpp>

namespace sluice::store::postgresql {

/// What the server answered to one statement, in binary format. The accessors trust the statement's column types.
class result {
public:
    result() = default;
    explicit result(PGresult* answer) : answer_{answer} {}

    [[nodiscard]] explicit operator bool() const noexcept { return answer_ != nullptr; }
    [[nodiscard]] PGresult* get() const noexcept { return answer_.get(); }

    [[nodiscard]] int rows() const noexcept { return PQntuples(answer_.get()); }
    [[nodiscard]] bool null(int row, int column) const noexcept { return PQgetisnull(answer_.get(), row, column) != 0; }
    /// The text or bytes as they came; valid as long as this result.
    [[nodiscard]] std::string_view view(int row, int column) const noexcept;
    /// Empty for NULL.
    [[nodiscard]] std::string text(int row, int column) const { return std::string{view(row, column)}; }
    /// Of an int2, int4, int8 or xid8; 0 for NULL.
    [[nodiscard]] std::int64_t integer(int row, int column) const noexcept;
    [[nodiscard]] double real(int row, int column) const noexcept;
    [[nodiscard]] bool boolean(int row, int column) const noexcept;
    [[nodiscard]] date_time time(int row, int column) const noexcept;
    [[nodiscard]] date day(int row, int column) const noexcept;
    /// Of a numeric that is a number: its text, with as many digits after the point as the column has.
    [[nodiscard]] std::string numeric(int row, int column) const;
    [[nodiscard]] std::optional<date_time> optional_time(int row, int column) const noexcept;
    /// Of an int8[] without NULLs; empty for NULL.
    [[nodiscard]] std::vector<std::int64_t> integers(int row, int column) const;
    /// Of a text[] without NULLs; empty for NULL.
    [[nodiscard]] std::vector<std::string> texts(int row, int column) const;
    /// How many rows a statement without an answer inserted, changed or deleted.
    [[nodiscard]] std::size_t affected() const;

private:
    struct clearer {
        void operator()(PGresult* answer) const noexcept { PQclear(answer); }
    };
    std::unique_ptr<PGresult, clearer> answer_;
};

}  // namespace sluice::store::postgresql
