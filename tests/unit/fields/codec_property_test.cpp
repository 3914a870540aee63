// Whatever is put into a valid struct comes back from its JSON; whatever JSON comes in, decoding ends with a value or
// with a validation_error.
#include <sluice/codec.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace {

namespace codec = sluice::codec;
namespace json = sluice::json;

enum class colour { red, green, blue };

struct part {
    sluice::identifier id;
    std::optional<sluice::string<20>> label{};
    std::int16_t count = 0;
    bool operator==(const part&) const = default;
};

struct whole {
    std::string name;
    sluice::text note;
    std::int64_t number = 0;
    std::uint32_t amount = 0;
    double price = 0;
    float ratio = 0;
    bool flag = false;
    colour paint = colour::red;
    sluice::date_time at;
    sluice::date day;
    sluice::decimal<0> pieces;
    sluice::decimal<2> fee;
    sluice::decimal<18> rate;
    sluice::duration took{};
    std::chrono::hours within{};
    std::optional<sluice::uuid> reference{};
    std::vector<part> parts;
    std::map<std::string, std::optional<part>> named;
    std::vector<std::vector<int>> table;
    bool operator==(const whole&) const = default;
};

std::string to_utf8(const std::vector<char32_t>& code_points) {
    std::string text;
    for (const char32_t c : code_points) {
        if (c < 0x80) {
            text += static_cast<char>(c);
        } else if (c < 0x800) {
            text += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
        } else {
            text += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
                     static_cast<char>(0x80 | (c & 0x3F))};
        }
    }
    return text;
}

rc::Gen<std::string> text_of(std::size_t min, std::size_t max) {
    // Above U+0000 and below the surrogates; half of it ASCII, where the escapes are.
    const auto code_point = rc::gen::cast<char32_t>(
        rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(1, 0x80), rc::gen::inRange<std::uint32_t>(1, 0xD800)));
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(min, max + 1), [code_point](std::size_t length) {
        return rc::gen::map(rc::gen::container<std::vector<char32_t>>(length, code_point), to_utf8);
    });
}

part any_part() {
    part p;
    p.id = *text_of(1, 255);
    if (*rc::gen::arbitrary<bool>()) p.label = *text_of(0, 20);
    p.count = *rc::gen::arbitrary<std::int16_t>();
    return p;
}

whole any_whole() {
    whole w;
    w.name = *text_of(0, 30);
    w.note = *text_of(0, 300);
    w.number = *rc::gen::arbitrary<std::int64_t>();
    w.amount = *rc::gen::arbitrary<std::uint32_t>();
    w.price = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double d) { return std::isfinite(d); });
    w.ratio = *rc::gen::suchThat(rc::gen::arbitrary<float>(), [](float f) { return std::isfinite(f); });
    w.flag = *rc::gen::arbitrary<bool>();
    w.paint = *rc::gen::element(colour::red, colour::green, colour::blue);
    w.at = sluice::date_time::from_micros(
        *rc::gen::inRange<std::int64_t>(-62'135'596'800'000'000, 253'402'300'800'000'000));
    w.day = sluice::date{std::chrono::sys_days{std::chrono::days{*rc::gen::inRange(-719'162, 2'932'897)}}};
    w.pieces = sluice::decimal<0>::from_units(*rc::gen::arbitrary<std::int64_t>());
    w.fee = sluice::decimal<2>::from_units(*rc::gen::arbitrary<std::int64_t>());
    w.rate = sluice::decimal<18>::from_units(*rc::gen::arbitrary<std::int64_t>());
    w.took = sluice::duration{*rc::gen::arbitrary<std::int64_t>()};
    w.within = std::chrono::hours{*rc::gen::arbitrary<std::int32_t>()};
    if (*rc::gen::arbitrary<bool>()) {
        sluice::uuid::bytes_type bytes{1};
        for (std::size_t i = 1; i < bytes.size(); ++i) bytes.at(i) = *rc::gen::arbitrary<std::uint8_t>();
        w.reference = sluice::uuid{bytes};
    }
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) w.parts.push_back(any_part());
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        auto& entry = w.named[*text_of(0, 10)];
        if (*rc::gen::arbitrary<bool>()) entry = any_part();
    }
    w.table = *rc::gen::arbitrary<std::vector<std::vector<int>>>();
    return w;
}

json::value any_json(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return *rc::gen::arbitrary<std::int64_t>();
        case 3:
            return *rc::gen::arbitrary<double>();
        case 4:
            return *text_of(0, 30);
        case 5: {
            json::array array;
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i) array.push_back(any_json(depth - 1));
            return array;
        }
        default: {
            json::object object;
            for (const std::string_view name : sluice::reflect::field_names<whole>()) {
                if (*rc::gen::arbitrary<bool>()) object.set(std::string{name}, any_json(depth - 1));
            }
            if (*rc::gen::arbitrary<bool>()) object.set(*text_of(0, 200), any_json(depth - 1));
            return object;
        }
    }
}

RC_GTEST_PROP(codec_property, a_valid_struct_survives_its_json, ()) {
    const whole before = any_whole();
    RC_ASSERT(codec::validate(before).empty());
    const json::value text = json::parse(codec::encode(before));
    RC_ASSERT(codec::decode<whole>(text) == before);
    RC_ASSERT(codec::encode(codec::decode<whole>(text)) == codec::encode(before));
}

RC_GTEST_PROP(codec_property, any_json_is_a_value_or_a_validation_error, ()) {
    const json::value any = any_json(3);
    const auto unknown = *rc::gen::element(codec::unknown_keys::refuse, codec::unknown_keys::ignore);
    const auto missing = *rc::gen::element(codec::missing_keys::refuse, codec::missing_keys::keep_default);
    try {
        const whole decoded = codec::decode<whole>(any, unknown, missing);
        RC_ASSERT(codec::validate(decoded).empty() || missing == codec::missing_keys::keep_default);
    } catch (const sluice::validation_error& e) {
        RC_ASSERT(!e.violations().empty());
        for (const auto& [field, message] : e.violations()) RC_ASSERT(!message.empty());
    }
}

RC_GTEST_PROP(codec_property, free_form_json_survives, ()) {
    struct free_form {
        json::value any;
    };
    const free_form before{any_json(4)};
    RC_PRE(codec::validate(before).empty());
    RC_ASSERT(codec::decode<free_form>(json::parse(codec::encode(before))).any == before.any);
}

}  // namespace
