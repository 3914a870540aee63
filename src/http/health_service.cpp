#include "http/health_service.hpp"

#include <utility>

#include "observe/log.hpp"

namespace sluice::http {

namespace {

/// Ports after the configured one that `port_auto_increment` may take.
constexpr int most_increments = 100;
/// For looks under way at the end.
constexpr auto short_wait = std::chrono::milliseconds{100};

http_answer json_answer(unsigned status, const json::value& body) {
    return {.status = status, .content_type = "application/json", .body = json::dump(body, json::style::python)};
}

}  // namespace

health_service::health_service(commit::environment& env, const health_options& options)
    : metrics_{make_metrics(env)}, monitor_{env, metrics_, options.timing} {
    const config::health_settings& wanted = env.configuration().server.health;
    const int port = wanted.port == 0 ? 0 : wanted.port + options.port_offset;
    std::string key = "server.health.port";
    if (options.port_offset > 0) key += " + " + std::to_string(options.port_offset) + ", of a worker";
    server_ = std::make_unique<http_server>(
        http_settings{.host = wanted.host,
                      .port = static_cast<std::uint16_t>(port),
                      .ports_to_try = wanted.port_auto_increment ? most_increments : 1},
        [this](const http_request& request) { return answer(request); }, key, options.mounted);
    env.tracer().count_with(metrics_);
    observe::log(observe::level::info, "health.listening", {{"address", server_->address()}});
}

bool health_service::leave() {
    const bool answered = server_->leave(short_wait);
    return monitor_.leave(short_wait) && answered;
}

http_answer health_service::answer(const http_request& request) const {
    const std::string& path = request.path;
    if (path == "/healthz" || path == "/livez") {
        // That this is answered is the answer.
        return json_answer(200, json::object{{"status", "ok"}, {"checks", json::object{{"event_loop", "responsive"}}}});
    }
    if (path == "/readyz") {
        const health_report seen = monitor_.report();
        return json_answer(decide(seen) == readiness::ok ? 200 : 503, to_json(seen));
    }
    if (path == "/metrics") {
        const metrics_format format = choose_metrics_format(request.list("accept"));
        return {.status = 200, .content_type = content_type_of(format), .body = monitor_.metrics_text(format)};
    }
    return json_answer(404, json::object{{"error", "Not Found"}});
}

}  // namespace sluice::http
