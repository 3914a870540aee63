#include "store/postgresql/parameters.hpp"

#include <bit>
#include <climits>

namespace sluice::store::postgresql {
namespace {

template <class Unsigned>
void put_bytes(std::string& out, Unsigned number) {
    for (std::size_t left = sizeof number; left-- > 0;) out += static_cast<char>((number >> (CHAR_BIT * left)) & 0xFF);
}

void put(std::string& out, bool value) { out += value ? '\1' : '\0'; }
void put(std::string& out, std::int32_t value) { put_bytes(out, static_cast<std::uint32_t>(value)); }
void put(std::string& out, std::int64_t value) { put_bytes(out, static_cast<std::uint64_t>(value)); }
void put(std::string& out, double value) { put_bytes(out, std::bit_cast<std::uint64_t>(value)); }
void put(std::string& out, date_time value) { put(out, value.micros() - postgresql_epoch); }
void put(std::string& out, std::string_view value) { out += value; }

struct array_types {
    type_number whole;
    type_number element;
};
constexpr array_types types_of(const array<std::string_view>* /*of*/) { return {type::text_array, type::text}; }
constexpr array_types types_of(const array<std::int32_t>* /*of*/) { return {type::int4_array, type::int4}; }
constexpr array_types types_of(const array<std::int64_t>* /*of*/) { return {type::int8_array, type::int8}; }
constexpr array_types types_of(const array<date_time>* /*of*/) { return {type::timestamptz_array, type::timestamptz}; }

}  // namespace

template <class T>
void array<T>::push(const T& value) {
    const auto at = elements_.size();
    put(elements_, std::int32_t{0});
    put(elements_, value);
    std::string length;
    put(length, static_cast<std::int32_t>(elements_.size() - at - sizeof(std::int32_t)));
    elements_.replace(at, length.size(), length);
    ++count_;
}

template <class T>
void array<T>::push(const std::optional<T>& value) {
    if (value) return push(*value);
    put(elements_, std::int32_t{-1});
    has_null_ = true;
    ++count_;
}

template <class T>
void parameters::add(const array<T>& values) {
    const auto types = types_of(&values);
    begin(types.whole);
    const auto from = bytes_.size();
    put(bytes_, std::int32_t{values.count_ == 0 ? 0 : 1});  // dimensions
    put(bytes_, std::int32_t{values.has_null_ ? 1 : 0});
    put(bytes_, static_cast<std::int32_t>(types.element));
    if (values.count_ != 0) {
        put(bytes_, values.count_);
        put(bytes_, std::int32_t{1});  // the first index
        bytes_ += values.elements_;
    }
    end(from);
}

template class array<std::string_view>;
template class array<std::int32_t>;
template class array<std::int64_t>;
template class array<date_time>;

array<std::string_view> array_of(std::span<const std::string> texts) {
    array<std::string_view> all;
    for (const auto& each : texts) all.push(std::string_view{each});
    return all;
}

array<std::int32_t> array_of(std::span<const std::int32_t> numbers) {
    array<std::int32_t> all;
    for (const auto each : numbers) all.push(each);
    return all;
}
template void parameters::add(const array<std::string_view>& values);
template void parameters::add(const array<std::int32_t>& values);
template void parameters::add(const array<std::int64_t>& values);
template void parameters::add(const array<date_time>& values);

template <class Value>
void parameters::add_scalar(type_number what, Value value) {
    begin(what);
    const auto from = bytes_.size();
    put(bytes_, value);
    end(from);
}

void parameters::reserve(std::size_t values, std::size_t bytes) {
    types_.reserve(types_.size() + values);
    offsets_.reserve(offsets_.size() + values);
    lengths_.reserve(lengths_.size() + values);
    formats_.reserve(formats_.size() + values);
    bytes_.reserve(bytes_.size() + bytes);
}

void parameters::begin(type_number what) {
    types_.push_back(what);
    offsets_.emplace_back(bytes_.size());
    lengths_.push_back(0);
    formats_.push_back(1);
}

void parameters::end(std::size_t from) { lengths_.back() = static_cast<int>(bytes_.size() - from); }

void parameters::add(std::string_view value) { add_scalar(type::text, value); }
void parameters::add_bytes(std::string_view value) { add_scalar(type::bytea, value); }
void parameters::add(bool value) { add_scalar(type::boolean, value); }
void parameters::add(std::int32_t value) { add_scalar(type::int4, value); }
void parameters::add(std::int64_t value) { add_scalar(type::int8, value); }
void parameters::add(double value) { add_scalar(type::float8, value); }
void parameters::add(date_time value) { add_scalar(type::timestamptz, value); }

void parameters::add(date value) {
    const auto days = value.sys_days().time_since_epoch().count();
    add_scalar(type::date, static_cast<std::int32_t>(days) - postgresql_epoch_day);
}

void parameters::add_numeric(std::string_view value) {
    add_scalar(type::numeric, value);
    formats_.back() = 0;  // as text, which ends at a zero
    bytes_ += '\0';
}

void parameters::add(const std::optional<date_time>& value) { value ? add(*value) : add_null(type::timestamptz); }

void parameters::add(const std::optional<std::string>& value) {
    value ? add(std::string_view{*value}) : add_null(type::text);
}

void parameters::add(const std::optional<std::int64_t>& value) { value ? add(*value) : add_null(type::int8); }

void parameters::add_null(type_number what) {
    begin(what);
    offsets_.back().reset();
}

std::vector<const char*> parameters::values() const {
    std::vector<const char*> all;
    all.reserve(offsets_.size());
    for (const auto& offset : offsets_) all.push_back(offset ? bytes_.data() + *offset : nullptr);
    return all;
}

}  // namespace sluice::store::postgresql
