#include <sluice/console.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <sluice/application.hpp>
#include <sluice/error.hpp>

#include "app/application_parts.hpp"
#include "console/console.hpp"
#include "observe/log.hpp"

namespace sluice {

namespace {

std::vector<std::unique_ptr<console::context>> contexts_of(const app::application_parts& of) {
    const config::configuration& with = of.env.configuration();
    operate::settings_view shown{.file = with.file, .environment = with.environment, .settings = of.settings};
    std::vector<std::unique_ptr<console::context>> contexts;
    contexts.push_back(
        std::make_unique<console::context>([shown = std::move(shown)] { return shown; }, of.env, of.env.time()));
    return contexts;
}

const config::console_settings& require_enabled(const config::console_settings& settings) {
    if (settings.enabled.value_or(true)) return settings;
    throw configuration_error{
        "the console is switched off (console.enabled = false); remove the key, or make no console_site"};
}

}  // namespace

struct console_site::implementation {
    implementation(const app::application_parts& of, std::string host)
        : log{of.env.log()},
          shown{{.settings = require_enabled(of.console), .host = std::move(host)},
                contexts_of(of),
                of.env.time(),
                of.env.random()},
          mounted{shown.mount()} {}

    std::shared_ptr<const observe::log_route> log;
    console::console shown;
    http::http_mount mounted;
};

console_site::console_site(application& of, console_site_options options)
    : implementation_{std::make_unique<implementation>(app::application_parts::of(of), std::move(options.host))} {}

console_site::console_site(console_site&&) noexcept = default;
console_site& console_site::operator=(console_site&&) noexcept = default;
console_site::~console_site() = default;

bool console_site::serves(std::string_view path) const noexcept { return implementation_->mounted.has(path); }

web_response console_site::answer(const web_request& request) {
    const observe::log_scope scope{implementation_->log};
    http::http_answer answered = implementation_->shown.answer({.method = request.method,
                                                                .path = request.path,
                                                                .query = request.query,
                                                                .headers = request.headers,
                                                                .body = request.body,
                                                                .client = request.client,
                                                                .is_encrypted = request.is_encrypted});
    const bool says_how_to_keep_it =
        std::ranges::any_of(answered.headers, [](const auto& each) { return each.first == "cache-control"; });
    if (!says_how_to_keep_it) answered.headers.emplace_back("cache-control", "no-store");
    return {.status = answered.status,
            .content_type = std::move(answered.content_type),
            .body = std::move(answered.body),
            .headers = std::move(answered.headers)};
}

}  // namespace sluice
