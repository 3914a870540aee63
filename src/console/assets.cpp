#include "console/assets.hpp"

#include <algorithm>

#include "base/sha256.hpp"
#include "console/console.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t digits_of_version = 12;

std::string version_of(const asset& of) { return base::sha256_hex(of.text).substr(0, digits_of_version); }

const asset* find(std::string_view name) {
    const auto all = assets();
    const auto found = std::ranges::find(all, name, &asset::name);
    return found == all.end() ? nullptr : &*found;
}

http::http_answer serve(const visit& of) {
    const asset* const found = find(of.at("file"));
    if (found == nullptr || of.at("version") != version_of(*found)) {
        return problem(404, "not_found", "there is no such file; reload the page");
    }
    return {.status = 200,
            .content_type = std::string{found->type},
            .body = std::string{found->text},
            .headers = {{"cache-control", "public, max-age=31536000, immutable"}}};
}

}  // namespace

std::string asset_path(std::string_view name) {
    const asset* const found = find(name);
    return found == nullptr ? "/console" : target({"console", "assets", version_of(*found), std::string{name}});
}

void add_assets(router& to) {
    to.add({.method = "GET",
            .path = "/console/assets/{version}/{file}",
            .needs = console_role::none,
            .answer = [](const visit& of) { return serve(of); }});
}

}  // namespace sluice::console
