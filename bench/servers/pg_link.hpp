#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::bench {

struct pg_closer {
    void operator()(PGresult* answer) const noexcept { PQclear(answer); }
    void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};
using pg_answer = std::unique_ptr<PGresult, pg_closer>;

/// Parameters in PostgreSQL's binary form.
class pg_values {
public:
    pg_values& number(std::int64_t value);
    pg_values& text(std::string_view value);
    pg_values& numbers(const std::vector<std::int64_t>& values);
    pg_values& texts(const std::vector<std::string>& values);

private:
    friend class pg_link;
    std::vector<std::string> bytes_;
};

/// The least that speaks to PostgreSQL: what the bare loops are made of. Every failure is a std::runtime_error.
class pg_link {
public:
    explicit pg_link(const std::string& uri);

    /// Outside a pipeline.
    void execute(const std::string& sql) const;
    /// The first column of the first row as text; empty when there is none.
    [[nodiscard]] std::string scalar(const std::string& sql) const;
    void prepare(const char* name, const char* sql) const;

    /// From here on everything is sent by `send`, `sync` and read by `next` and `synced`, in order.
    void begin_pipeline() const;
    void send(const char* prepared, const pg_values& values) const;
    void sync() const;
    /// The answer of the next statement; rows are binary.
    [[nodiscard]] pg_answer next() const;
    void synced() const;

private:
    [[noreturn]] void fail() const;

    std::unique_ptr<PGconn, pg_closer> handle_;
};

[[nodiscard]] std::int64_t pg_number(const PGresult* answer, int row, int column);
[[nodiscard]] inline std::string_view pg_text(const PGresult* answer, int row, int column) {
    return {PQgetvalue(answer, row, column), static_cast<std::size_t>(PQgetlength(answer, row, column))};
}

}  // namespace sluice::bench
