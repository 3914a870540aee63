#include "console/router.hpp"

#include <charconv>
#include <exception>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "observe/log.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

/// `{id}` matches any one segment.
bool is_match(std::string_view pattern, const std::vector<std::string>& segments,
              std::map<std::string, std::string, std::less<>>& values) {
    values.clear();
    for (const std::string& segment : segments) {
        if (!pattern.starts_with('/')) return false;
        pattern.remove_prefix(1);
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (part.starts_with('{')) {
            values.emplace(part.substr(1, part.size() - 2), segment);
        } else if (part != segment) {
            return false;
        }
    }
    return pattern.empty();
}

const char* title_of(unsigned status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 415:
            return "Unsupported Media Type";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 503:
            return "Service Unavailable";
        default:
            return "Internal Server Error";
    }
}

unsigned status_of(const operate::request_error& wrong) {
    switch (wrong.why()) {
        case operate::request_error::reason::wrong_request:
            return 400;
        case operate::request_error::reason::not_found:
            return 404;
        case operate::request_error::reason::conflict:
            break;
    }
    return 409;
}

}  // namespace

route_match router::find(std::string_view method, const std::vector<std::string>& segments) const {
    route_match result;
    for (const route& each : routes_) {
        std::map<std::string, std::string, std::less<>> values;
        if (!is_match(each.path, segments, values)) continue;
        if (each.method == method) {
            result.found = &each;
            result.path = std::move(values);
            return result;
        }
        if (!result.allowed.empty()) result.allowed += ", ";
        result.allowed += each.method == "GET" ? "GET, HEAD" : each.method;
    }
    return result;
}

bool is_interface(std::string_view path) noexcept { return path == "/api/v1" || path.starts_with("/api/v1/"); }

http::http_answer problem(unsigned status, std::string_view code, std::string_view detail) {
    const json::object body{{"type", "about:blank"},
                            {"title", title_of(status)},
                            {"status", status},
                            {"code", code},
                            {"detail", base::one_line(detail, 2000)}};
    return {.status = status, .content_type = "application/problem+json", .body = json::dump(body)};
}

http::http_answer json_answer(const json::value& body) {
    return {.status = 200, .content_type = "application/json", .body = json::dump(body)};
}

failure_view judge(const std::exception& caught) {
    const auto* known = dynamic_cast<const error*>(&caught);
    if (known == nullptr) {
        observe::log(observe::level::error, "console.failed", {{"reason", base::one_line(caught.what())}});
        return {500, "internal_error", "the console failed; its log tells why"};
    }
    failure_view result{422, known->code(), known->what()};
    if (const auto* wrong = dynamic_cast<const operate::request_error*>(known)) {
        result.status = status_of(*wrong);
    } else if (dynamic_cast<const decode_error*>(known) != nullptr) {
        result.status = 400;
    } else if (dynamic_cast<const not_found_error*>(known) != nullptr) {
        result.status = 404;
    } else if (dynamic_cast<const expected_version_error*>(known) != nullptr) {
        result.status = 409;
    } else if (dynamic_cast<const store_error*>(known) != nullptr ||
               dynamic_cast<const broker_error*>(known) != nullptr) {
        result.status = 503;
    }
    return result;
}

const json::value* member_in(const json::value& body, std::string_view name) {
    const json::value* const found = body.find(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_in(const json::value& body, std::string_view name) {
    const json::value* const found = member_in(body, name);
    return found == nullptr ? std::string{} : found->as_string();
}

std::size_t number_in(const std::string& text, std::string_view name, std::size_t usual, std::size_t most) {
    if (text.empty()) return usual;
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end || number == 0 || number > most) {
        throw operate::wrong_request(std::string{name} + " is `" + base::one_line(text, 40) +
                                     "`; give a number from 1 to " + std::to_string(most));
    }
    return number;
}

std::optional<date_time> time_in(const std::string& text, std::string_view name) {
    if (text.empty()) return std::nullopt;
    const bool is_day = text.find('T') == std::string::npos;
    try {
        return date_time::parse(is_day ? text + "T00:00:00Z" : text);
    } catch (const error&) {
        throw operate::wrong_request(std::string{name} + " is `" + base::one_line(text, 40) +
                                     "`; give a day or a time: 2026-11-29 or 2026-11-29T08:00:00Z");
    }
}

}  // namespace sluice::console
