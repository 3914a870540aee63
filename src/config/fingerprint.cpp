#include "config/fingerprint.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include <sluice/error.hpp>

#include "base/sha256.hpp"
#include "config/document.hpp"

namespace sluice::config {

namespace {

/// A section of the log has nothing but its level and format: a broker may be called `log`, too.
bool is_log_section(const node::member& member) {
    const auto* const table = member.value.as_table();
    return member.key == "log" && table != nullptr && std::ranges::all_of(*table, [](const node::member& each) {
               return each.key == "level" || each.key == "format";
           });
}

/// Every text with its length, so that no two trees are written alike.
void write(const node& from, std::string& to) {
    const auto put = [&](char kind, const std::string& text) { to += kind + std::to_string(text.size()) + ':' + text; };
    if (const auto* const table = from.as_table()) {
        std::vector<const node::member*> members;
        for (const node::member& each : *table) {
            if (!is_log_section(each)) members.push_back(&each);
        }
        std::ranges::sort(members, {}, [](const node::member* each) { return each->key; });
        to += '{';
        for (const node::member* each : members) {
            put('k', each->key);
            write(each->value, to);
        }
        to += '}';
    } else if (const auto* const elements = std::get_if<node::array>(&from.value)) {
        to += '[';
        for (const node& each : *elements) write(each, to);
        to += ']';
    } else if (const auto* const text = std::get_if<std::string>(&from.value)) {
        put('t', *text);
    } else if (const auto* const whole = std::get_if<std::int64_t>(&from.value)) {
        put('i', std::to_string(*whole));
    } else if (const auto* const number = std::get_if<double>(&from.value)) {
        put('d', std::to_string(*number));
    } else if (const auto* const flag = std::get_if<bool>(&from.value)) {
        put('b', *flag ? "1" : "0");
    } else {
        to += 'm';
    }
}

}  // namespace

std::string fingerprint_without_log(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) {
        throw configuration_error{"cannot read " + file.string() +
                                  "; it must be there, and this user must have the right to read it"};
    }
    std::string written;
    write(read_toml(text, file.string()), written);
    return base::sha256_hex(written);
}

}  // namespace sluice::config
