#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

namespace json = sluice::json;

void require(bool holds, const char* rule) {
    if (holds) return;
    std::fprintf(stderr, "json_fuzz: broken: %s\n", rule);
    std::abort();
}

std::optional<json::value> parse(std::string_view text) {
    try {
        return json::parse(text);
    } catch (const sluice::decode_error&) {
        return std::nullopt;
    }
}

}  // namespace

/// Whatever can be read can be written and read again: as the same value, and in canonical form as the same text.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::optional<json::value> v = parse({reinterpret_cast<const char*>(data), size});
    if (!v) return 0;

    require(parse(json::dump(*v, json::style::compact)) == v, "compact reads back as the same value");
    require(parse(json::dump(*v, json::style::pretty)) == v, "pretty reads back as the same value");

    for (const json::style s : {json::style::canonical, json::style::python}) {
        const std::string once = json::dump(*v, s);
        const std::optional<json::value> read = parse(once);
        require(read && json::dump(*read, s) == once, "a normal form is a fixed point");
    }
    return 0;
}
