#include "servers/pg_link.hpp"

#include <climits>
#include <stdexcept>

namespace sluice::bench {

namespace {

constexpr std::int32_t int8_type = 20;
constexpr std::int32_t text_type = 25;
constexpr int binary = 1;

template <class Number>
void put(std::string& out, Number number) {
    for (std::size_t left = sizeof number; left-- > 0;) out += static_cast<char>((number >> (CHAR_BIT * left)) & 0xFF);
}

void put_array_header(std::string& out, std::size_t size, std::int32_t element) {
    put(out, std::int32_t{1});
    put(out, std::int32_t{0});
    put(out, element);
    put(out, static_cast<std::int32_t>(size));
    put(out, std::int32_t{1});
}

bool is_good(const PGresult* answer) {
    const auto status = PQresultStatus(answer);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

pg_values& pg_values::number(std::int64_t value) {
    put(bytes_.emplace_back(), value);
    return *this;
}

pg_values& pg_values::text(std::string_view value) {
    bytes_.emplace_back(value);
    return *this;
}

pg_values& pg_values::numbers(const std::vector<std::int64_t>& values) {
    auto& out = bytes_.emplace_back();
    put_array_header(out, values.size(), int8_type);
    for (const auto value : values) {
        put(out, std::int32_t{sizeof value});
        put(out, value);
    }
    return *this;
}

pg_values& pg_values::texts(const std::vector<std::string>& values) {
    auto& out = bytes_.emplace_back();
    put_array_header(out, values.size(), text_type);
    for (const auto& value : values) {
        put(out, static_cast<std::int32_t>(value.size()));
        out += value;
    }
    return *this;
}

pg_link::pg_link(const std::string& uri) : handle_{PQconnectdb(uri.c_str())} {
    if (PQstatus(handle_.get()) != CONNECTION_OK) fail();
    PQsetNoticeProcessor(
        handle_.get(), [](void*, const char*) {}, nullptr);
}

void pg_link::execute(const std::string& sql) const { static_cast<void>(scalar(sql)); }

std::string pg_link::scalar(const std::string& sql) const {
    const pg_answer answer{PQexec(handle_.get(), sql.c_str())};
    if (!is_good(answer.get())) fail();
    return PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0);
}

void pg_link::prepare(const char* name, const char* sql) const {
    const pg_answer answer{PQprepare(handle_.get(), name, sql, 0, nullptr)};
    if (!is_good(answer.get())) fail();
}

void pg_link::begin_pipeline() const {
    if (PQenterPipelineMode(handle_.get()) != 1) fail();
}

void pg_link::send(const char* prepared, const pg_values& values) const {
    std::vector<const char*> texts;
    std::vector<int> lengths;
    for (const auto& value : values.bytes_) {
        texts.push_back(value.data());
        lengths.push_back(static_cast<int>(value.size()));
    }
    const std::vector<int> formats(texts.size(), binary);
    if (PQsendQueryPrepared(handle_.get(), prepared, static_cast<int>(texts.size()), texts.data(), lengths.data(),
                            formats.data(), binary) != 1) {
        fail();
    }
}

void pg_link::sync() const {
    if (PQpipelineSync(handle_.get()) != 1) fail();
}

pg_answer pg_link::next() const {
    pg_answer answer{PQgetResult(handle_.get())};
    if (!is_good(answer.get())) fail();
    const pg_answer end{PQgetResult(handle_.get())};
    if (end) fail();
    return answer;
}

void pg_link::synced() const {
    const pg_answer end{PQgetResult(handle_.get())};
    if (PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) fail();
}

void pg_link::fail() const { throw std::runtime_error{std::string{"PostgreSQL: "} + PQerrorMessage(handle_.get())}; }

std::int64_t pg_number(const PGresult* answer, int row, int column) {
    std::uint64_t number = 0;
    for (const char byte : pg_text(answer, row, column)) {
        number = (number << CHAR_BIT) | static_cast<unsigned char>(byte);
    }
    return static_cast<std::int64_t>(number);
}

}  // namespace sluice::bench
