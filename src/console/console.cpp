#include "console/console.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "base/sha256.hpp"
#include "config/loader.hpp"
#include "console/layout.hpp"
#include "console/secrets.hpp"

namespace sluice::console {

namespace {

constexpr std::string_view live_path = "/console/live";
constexpr std::string_view login_path = "/console/login";
constexpr std::size_t longest_password = 500;

/// Nothing but our own files, and no script within a page.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'";

void add_protection(http::http_answer& answer) {
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string_view>>{
             {"content-security-policy", content_policy},
             {"x-content-type-options", "nosniff"},
             {"x-frame-options", "DENY"},
             // Not `no-referrer`: then a browser tells of our own forms no origin either.
             {"referrer-policy", "same-origin"},
             {"cross-origin-opener-policy", "same-origin"},
             {"cross-origin-resource-policy", "same-origin"},
             {"permissions-policy", "camera=(), geolocation=(), microphone=()"}}) {
        answer.headers.emplace_back(name, std::string{value});
    }
}

/// What a program has already is not sent again.
void answer_if_changed(const http::http_request& request, http::http_answer& answer) {
    if (request.method != "GET" || answer.status != 200) return;
    const std::string tag = '"' + base::sha256_hex(answer.body).substr(0, 16) + '"';
    answer.headers.emplace_back("etag", tag);
    answer.headers.emplace_back("cache-control", "private, no-cache");
    if (request.header("if-none-match") != tag) return;
    answer.status = 304;
    answer.content_type.clear();
    answer.body.clear();
}

/// The value of a cookie that was sent once.
std::string_view cookie_of(const http::http_request& request, std::string_view name) {
    std::string_view rest = request.header("cookie");
    std::string_view found;
    while (!rest.empty()) {
        std::string_view pair = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
        if (!found.empty()) return {};
        found = pair.substr(equals + 1);
    }
    return found;
}

bool has_type(const http::http_request& request, std::string_view type) {
    const std::string_view given = request.header("content-type");
    return given.substr(0, given.find(';')) == type;
}

bool is_forwarded(const http::http_request& request) {
    return std::ranges::any_of(request.headers, [](const auto& each) {
        return each.first == "forwarded" || each.first == "via" || each.first == "x-real-ip" ||
               each.first.starts_with("x-forwarded-");
    });
}

/// A place of ours to go to after logging in.
std::string way_back(const std::string& wanted) {
    const bool is_ours = wanted == "/console" || wanted.starts_with("/console/") || wanted.starts_with("/console?");
    if (!is_ours || !segments_of(wanted.substr(0, wanted.find('?')))) return "/console";
    const bool is_plain =
        std::ranges::all_of(wanted, [](char c) { return c > ' ' && c < '\x7F' && c != '\\' && c != '"'; });
    return is_plain && !wanted.starts_with(login_path) ? wanted : "/console";
}

/// Two contexts may have one domain.
void name_apart(std::vector<std::unique_ptr<context>>& contexts) {
    std::map<std::string, int> seen;
    for (const auto& each : contexts) {
        const int count = ++seen[each->name()];
        if (count > 1) each->rename(each->name() + "-" + std::to_string(count));
    }
}

std::string own_part_of(const std::string& page) {
    const auto begin = page.find("<main");
    const auto end = page.rfind("</main>");
    return begin == std::string::npos || end == std::string::npos ? std::string{} : page.substr(begin, end - begin + 7);
}

}  // namespace

config::console_settings load_settings(const operate::site& at) {
    return config::explain(at.config, at.program.providers(), config::process_variable,
                           [&at] { return operate::domain_name(at); })
        .console;
}

console::console(options with, std::vector<std::unique_ptr<context>> contexts, const clock& time,
                 base::random_source& random)
    : with_{std::move(with)},
      on_loopback_{is_loopback(with_.host)},
      host_names_{with_.settings.hosts},
      clock_{time},
      random_{random},
      key_{make_secret(random)},
      sessions_{time,
                random,
                {.lifetime = std::chrono::duration_cast<duration>(
                     std::chrono::duration<double, std::ratio<3600>>{with_.settings.session_hours}),
                 .idle = std::chrono::duration_cast<duration>(
                     std::chrono::duration<double, std::ratio<60>>{with_.settings.idle_minutes})}},
      redaction_{with_.settings.redact},
      audit_{time},
      contexts_{std::move(contexts)} {
    require_safe_at(with_.settings, with_.host, "console");
    host_names_.push_back(with_.host);
    if (!with_.settings.users.empty()) stranger_hash_ = hash_password(make_secret(random), random);
    name_apart(contexts_);
    add_assets(router_);
    add_session_pages(router_, *this);
    add_overview_page(router_, *this);
    add_lane_page(router_, *this);
    add_backfill_pages(router_, *this);
    add_row_pages(router_, *this);
    add_message_page(router_, *this);
    add_letter_pages(router_, *this);
    add_event_pages(router_, *this);
    add_process_pages(router_, *this);
    add_command_pages(router_, *this);
    add_domain_pages(router_, *this);
    add_settings_pages(router_, *this);
    add_interface(router_, *this);
}

http::http_mount console::mount(const config::console_tls_settings& tls) {
    constexpr std::size_t threads = 4;
    http::http_mount mounted{.prefixes = {"/console", "/api/v1"},
                             .answer = [this](const http::http_request& request) { return answer(request); },
                             .threads = threads};
    if (tls.is_on()) mounted.certificate = http::server_certificate{tls.certificate_file, tls.key_file};
    return mounted;
}

http::http_answer console::answer(const http::http_request& request) {
    http::http_answer result =
        is_known_host(request.header("host"), host_names_)
            ? answer_checked(request)
            : problem(421, "unknown_host", "the console is not known under this host; add the name to console.hosts");
    if (is_interface(request.path)) answer_if_changed(request, result);
    add_protection(result);
    return result;
}

http::http_answer console::answer_checked(const http::http_request& request) {
    visit of{.request = request};
    const auto segments = segments_of(request.path);
    const auto query = form_values::read(request.query);
    if (!segments || !query) return fail(of, {400, "bad_request", "the address is not well-formed"});
    of.query = *query;
    route_match to = router_.find(request.method, *segments);
    const auto who = visitor_of(request);
    if (!who) {
        http::http_answer refused = problem(401, "unknown_token", "the token is not one of console.tokens");
        refused.headers.emplace_back("www-authenticate", "Bearer");
        return refused;
    }
    of.who = *who;
    of.form_token = token_for(of.who);
    try {
        return admit_and_answer(to, of);
    } catch (const std::exception& e) {
        return fail(of, judge(e));
    }
}

http::http_answer console::admit_and_answer(const route_match& to, visit& of) {
    if (to.found == nullptr) {
        // Who may not look is not told what there is.
        if (of.who.role == console_role::none) return refuse(of, admission::unknown);
        if (to.allowed.empty()) return fail(of, {404, "not_found", "there is nothing at this address"});
        http::http_answer refused = fail(of, {405, "method_not_allowed", "this address takes " + to.allowed});
        refused.headers.emplace_back("allow", to.allowed);
        return refused;
    }
    of.path = to.path;
    const bool changes = to.found->method != "GET";
    if (changes) {
        if (auto refused = read_content(of)) return *std::move(refused);
    }
    const bool ours = !changes || to.found->is_own_proof || is_from_us(of);
    const admission allowed = admit(of.who, to.found->needs, changes, ours);
    if (allowed != admission::granted) return refuse(of, allowed);
    return run(*to.found, of);
}

http::http_answer console::run(const route& to, visit& of) {
    const auto context_name = of.path.find("context");
    if (context_name != of.path.end()) {
        const auto found =
            std::ranges::find_if(contexts_, [&](const auto& each) { return each->name() == context_name->second; });
        if (found == contexts_.end()) {
            return fail(of, {404, "not_found", "there is no context " + base::one_line(context_name->second, 60)});
        }
        of.where = found->get();
    }
    return to.answer(of);
}

std::optional<http::http_answer> console::read_content(visit& of) const {
    const bool is_page = !is_interface(of.request.path);
    if (!has_type(of.request, is_page ? "application/x-www-form-urlencoded" : "application/json")) {
        if (!is_page && of.request.body.empty()) return std::nullopt;
        return fail(of, {415, "unsupported_media_type",
                         is_page ? "pages take application/x-www-form-urlencoded" : "send application/json"});
    }
    if (is_page) {
        const auto form = form_values::read(of.request.body);
        if (!form) return fail(of, {400, "bad_request", "the form is not well-formed"});
        of.form = *form;
        return std::nullopt;
    }
    if (of.request.body.empty()) return std::nullopt;
    try {
        of.body = json::parse(of.request.body);
    } catch (const decode_error& e) {
        return problem(400, "decode_error", e.what());
    }
    if (!of.body.is_object()) return problem(400, "decode_error", "the body is no JSON object");
    return std::nullopt;
}

std::optional<principal> console::visitor_of(const http::http_request& request) {
    const std::string session{cookie_of(request, cookie_name(request, "session"))};
    const auto user = session.empty() ? std::nullopt : sessions_.user_of(session, request.path != live_path);
    request_facts facts{.client = request.client,
                        .authorization = request.header("authorization"),
                        .proxy_user = request.header(with_.settings.proxy.header),
                        .was_forwarded = is_forwarded(request)};
    if (user) {
        facts.session = session;
        facts.session_user = *user;
    }
    return identify(with_.settings, on_loopback_, facts);
}

std::string console::token_for(const principal& who) const {
    return keyed_digest(key_, std::string{to_string(who.by)} + '\n' + who.name + '\n' + who.session);
}

bool console::is_from_us(const visit& of) const {
    const http::http_request& request = of.request;
    if (!is_same_origin(request.header("host"), request.header("origin"), request.header("sec-fetch-site"))) {
        return false;
    }
    const std::string_view given =
        is_interface(request.path) ? request.header("x-csrf-token") : std::string_view{of.form.get("csrf")};
    return is_same(given, of.form_token);
}

std::string console::cookie_name(const http::http_request& request, std::string_view what) const {
    // Cookies do not tell ports apart, and a machine may have several consoles.
    const std::string_view host = request.header("host");
    const auto colon = host.rfind(':');
    const std::string_view port = colon == std::string_view::npos ? std::string_view{} : host.substr(colon + 1);
    const bool is_port = !port.empty() && port.find_first_not_of("0123456789") == std::string_view::npos;
    return "sluice_" + std::string{what} + (is_port ? "_" + std::string{port} : "");
}

http::http_answer console::refuse(const visit& of, admission why) {
    if (why == admission::not_ours) {
        record(of, "request.forged", std::string{of.request.path}, 0, "no token of a form of this console");
        return fail(of, {403, "forged",
                         "the request does not come from a page of this console, or from one that is too old; reload "
                         "the page and try again"});
    }
    if (why == admission::too_low) {
        return fail(of, {403, "forbidden", "this needs the role operator"});
    }
    if (is_interface(of.request.path)) {
        http::http_answer refused = problem(401, "unauthorized", "log in, or send a token of console.tokens");
        refused.headers.emplace_back("www-authenticate", "Bearer");
        return refused;
    }
    if (of.request.method != "GET" || of.request.path == live_path) {
        return fail(of, {401, "unauthorized", "log in first"});
    }
    if (with_.settings.users.empty()) return show_login(of, 401, "");
    form_values query;
    query.set("back", of.request.path + (of.request.query.empty() ? "" : "?" + of.request.query));
    return {
        .status = 303, .content_type = "text/plain", .headers = {{"location", target({"console", "login"}, query)}}};
}

http::http_answer console::fail(const visit& of, const failure_view& failure) const {
    if (is_interface(of.request.path)) return problem(failure.status, failure.code, failure.text);
    return error_page(*this, of, failure);
}

void console::record(const visit& of, std::string action, std::string target, std::size_t count, std::string error) {
    if (of.where != nullptr) of.where->board().forget();
    audit_.write({.who = of.who.name,
                  .by = to_string(of.who.by),
                  .client = of.request.client,
                  .action = std::move(action),
                  .context = of.where == nullptr ? "" : of.where->name(),
                  .target = std::move(target),
                  .count = count,
                  .error = std::move(error)});
}

http::http_answer console::show_login(const visit& of, unsigned status, std::string_view trouble) {
    const std::string nonce = make_secret(random_);
    http::http_answer page = login_page(
        *this, of, {.token = keyed_digest(key_, "login\n" + nonce), .back = of.query.get("back"), .trouble = trouble});
    page.status = status;
    page.headers.emplace_back("set-cookie", cookie_name(of.request, "login") + "=" + nonce +
                                                "; Path=/console/login; Max-Age=1800; HttpOnly; SameSite=Strict");
    return page;
}

bool console::may_try(const std::string& client, const std::string& name) {
    const std::lock_guard lock{logins_mutex_};
    return logins_.may_try(client, name, clock_.monotonic_now());
}

http::http_answer console::log_in(visit& of) {
    const http::http_request& request = of.request;
    const std::string name = of.form.get("name");
    const std::string& password = of.form.get("password");
    of.query.set("back", of.form.get("back"));
    const std::string nonce{cookie_of(request, cookie_name(request, "login"))};
    if (nonce.empty() || !is_same(of.form.get("csrf"), keyed_digest(key_, "login\n" + nonce)) ||
        !is_same_origin(request.header("host"), request.header("origin"), request.header("sec-fetch-site"))) {
        return show_login(of, 403, "This form was too old. Please try again.");
    }
    const auto user = with_.settings.users.find(name);
    const bool is_known = user != with_.settings.users.end();
    // People type passwords into the wrong field: a name that nobody has is written down nowhere.
    of.who = {.name = is_known ? name : ""};
    if (!may_try(request.client, name)) {
        record(of, "login.limited", "", 0, "too many attempts");
        return show_login(of, 429, "Too many attempts. Wait five minutes.");
    }
    const bool is_right = password.size() <= longest_password &&
                          is_password(password, is_known ? user->second.password_hash : stranger_hash_) && is_known;
    {
        const std::lock_guard lock{logins_mutex_};
        if (is_right) {
            logins_.succeeded(request.client, name);
        } else {
            logins_.failed(request.client, name, clock_.monotonic_now());
        }
    }
    if (!is_right) {
        record(of, "login.failed", is_known ? "" : "a name that nobody has", 0, "wrong name or password");
        return show_login(of, 401, "Wrong name or password.");
    }
    of.who = {.name = name, .role = user->second.role, .by = principal::proof::session};
    record(of, "login", "", 1);
    const bool is_secure = request.is_encrypted || request.header("x-forwarded-proto") == "https";
    const std::string secure = is_secure ? "; Secure" : "";
    return {.status = 303,
            .content_type = "text/plain",
            .headers = {{"location", way_back(of.form.get("back"))},
                        {"set-cookie", cookie_name(request, "session") + "=" + sessions_.open(name) +
                                           "; Path=/; HttpOnly; SameSite=Strict" + secure}}};
}

http::http_answer console::log_out(visit& of) {
    if (!of.who.session.empty()) sessions_.close(of.who.session);
    record(of, "logout", "", 1);
    return {.status = 303,
            .content_type = "text/plain",
            .headers = {{"location", "/console"},
                        {"set-cookie",
                         cookie_name(of.request, "session") + "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"}}};
}

http::http_answer console::live(visit& of) {
    constexpr std::string_view again = "retry: 3000\n";
    const std::string page = of.query.get("page");
    http::http_request inner = of.request;
    inner.path = page.substr(0, page.find('?'));
    inner.query = page.find('?') == std::string::npos ? "" : page.substr(page.find('?') + 1);
    if (inner.path != "/console" && !inner.path.starts_with("/console/contexts/")) {
        return fail(of, {400, "bad_request", "page is no page of the console"});
    }
    http::http_answer whole = answer_checked(inner);
    if (whole.status != 200) return whole;
    const std::string part = own_part_of(whole.body);
    const std::string id = base::sha256_hex(part).substr(0, 16);
    std::string body{again};
    if (of.request.header("last-event-id") == id) {
        body += ": nothing new\n\n";
    } else {
        body += "id: " + id + "\nevent: page\ndata: ";
        json::append_string(body, part);
        body += "\n\n";
    }
    return {.status = 200, .content_type = "text/event-stream", .body = std::move(body)};
}

}  // namespace sluice::console
