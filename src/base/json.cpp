#include "base/json_text.hpp"

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <span>
#include <system_error>

namespace sluice::json {
namespace {

template <class Members>
auto find_member(Members& members, std::string_view key) noexcept {
    return std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == key; });
}

/// Small objects, nearly all there are, are compared pairwise; large ones by sorting, so that no input is quadratic.
bool has_repeated_keys(std::span<const object::member> members) {
    constexpr std::size_t small = 16;
    if (members.size() <= small) {
        for (std::size_t later = 1; later < members.size(); ++later) {
            for (std::size_t earlier = 0; earlier < later; ++earlier) {
                if (members[earlier].first == members[later].first) return true;
            }
        }
        return false;
    }
    std::vector<std::string_view> keys(members.size());
    std::transform(members.begin(), members.end(), keys.begin(),
                   [](const auto& member) -> std::string_view { return member.first; });
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

std::vector<object::member> without_repeated_keys(std::vector<object::member> members) {
    std::vector<std::size_t> order(members.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return members[a].first < members[b].first; });

    std::vector<bool> kept(members.size(), true);
    for (std::size_t i = 0; i < order.size();) {
        const std::size_t first = order[i];
        std::size_t last = first;
        for (++i; i < order.size() && members[order[i]].first == members[first].first; ++i) {
            last = order[i];
            kept[last] = false;
        }
        if (last != first) members[first].second = std::move(members[last].second);
    }

    std::vector<object::member> distinct;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (kept[i]) distinct.push_back(std::move(members[i]));
    }
    return distinct;
}

/// @throws decode_error naming the expected and the found kind
template <class T, class Data>
auto& get_as(Data& data, kind expected, kind found) {
    auto* const held = std::get_if<T>(&data);
    if (held == nullptr) {
        throw decode_error{std::string{"expected a JSON value of kind "} + to_string(expected) + ", found " +
                           to_string(found)};
    }
    return *held;
}

}  // namespace

object::object(std::initializer_list<member> members) : object{std::vector<member>(members)} {}

object::object(std::vector<member> members) : members_{std::move(members)} {
    if (has_repeated_keys(members_)) members_ = without_repeated_keys(std::move(members_));
}

const value* object::find(std::string_view key) const noexcept {
    const auto found = find_member(members_, key);
    return found == members_.end() ? nullptr : &found->second;
}

value* object::find(std::string_view key) noexcept {
    const auto found = find_member(members_, key);
    return found == members_.end() ? nullptr : &found->second;
}

const value& object::at(std::string_view key) const {
    const value* const found = find(key);
    if (found == nullptr) throw decode_error{"the JSON object has no key '" + std::string{key} + "'"};
    return *found;
}

void object::set(std::string key, value v) {
    if (value* const found = find(key)) {
        *found = std::move(v);
    } else {
        append(std::move(key), std::move(v));
    }
}

void object::append(std::string key, value v) { members_.emplace_back(std::move(key), std::move(v)); }

bool object::erase(std::string_view key) {
    return std::erase_if(members_, [&](const member& candidate) { return candidate.first == key; }) > 0;
}

bool operator==(const object& a, const object& b) {
    if (a.size() != b.size()) return false;
    if (a.members_ == b.members_) return true;
    return std::all_of(a.begin(), a.end(), [&](const object::member& member) {
        const value* const other = b.find(member.first);
        return other != nullptr && *other == member.second;
    });
}

const char* to_string(kind k) noexcept {
    switch (k) {
        case kind::null:
            return "null";
        case kind::boolean:
            return "boolean";
        case kind::number:
            return "number";
        case kind::string:
            return "string";
        case kind::array:
            return "array";
        case kind::object:
            return "object";
    }
    return "unknown";
}

value::value(double d) {
    number written;
    append_double(written.text, d);
    data_ = std::move(written);
}

bool value::as_bool() const { return get_as<bool>(data_, kind::boolean, kind()); }
const number& value::as_number() const { return get_as<number>(data_, kind::number, kind()); }
const std::string& value::as_string() const { return get_as<std::string>(data_, kind::string, kind()); }
const array& value::as_array() const { return get_as<array>(data_, kind::array, kind()); }
array& value::as_array() { return get_as<array>(data_, kind::array, kind()); }
const object& value::as_object() const { return get_as<object>(data_, kind::object, kind()); }
object& value::as_object() { return get_as<object>(data_, kind::object, kind()); }

std::int64_t value::as_int() const {
    const std::string& text = as_number().text;
    std::int64_t result = 0;
    const char* const last = text.data() + text.size();
    const auto [end, failure] = std::from_chars(text.data(), last, result);
    if (failure == std::errc::result_out_of_range) {
        throw decode_error{"the JSON number does not fit into 64 bits; read it as text"};
    }
    if (failure != std::errc{} || end != last) {
        throw decode_error{"expected a JSON number that is an integer, found one with a fraction or an exponent"};
    }
    return result;
}

double value::as_double() const { return to_double(as_number().text); }

const value& value::at(std::string_view key) const { return as_object().at(key); }

const value& value::at(std::size_t index) const {
    const array& elements = as_array();
    if (index >= elements.size()) {
        throw decode_error{"the JSON array has no element " + std::to_string(index) + ", only " +
                           std::to_string(elements.size())};
    }
    return elements[index];
}

const value* value::find(std::string_view key) const noexcept {
    const object* const members = std::get_if<object>(&data_);
    return members == nullptr ? nullptr : members->find(key);
}

std::string value::string_or(std::string_view key, std::string_view fallback) const {
    const value* const found = find(key);
    return found != nullptr && found->is_string() ? found->as_string() : std::string{fallback};
}

bool operator==(const value& a, const value& b) { return a.data_ == b.data_; }

}  // namespace sluice::json
