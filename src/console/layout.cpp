#include "console/layout.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include <sluice/version.hpp>

#include "console/assets.hpp"
#include "console/widgets.hpp"

namespace sluice::console {

namespace {

struct nav_entry {
    const char* section;
    const char* title;
};

constexpr std::array sections{nav_entry{"rows", "Rows"},
                              nav_entry{"dead-letters", "Dead letters"},
                              nav_entry{"events", "Events"},
                              nav_entry{"backfills", "Backfills"},
                              nav_entry{"processes", "Processes"},
                              nav_entry{"read-models", "Read models"},
                              nav_entry{"commands", "Commands"},
                              nav_entry{"contracts", "Contracts"},
                              nav_entry{"configuration", "Configuration"}};

markup nav_link(const std::string& href, std::string_view title, bool is_here) {
    attributes with{{"href", href}};
    if (is_here) with.push_back({"aria-current", "page"});
    return element("li", element("a", with, title));
}

markup navigation(const console& in, const visit& of, const std::string& section) {
    markup entries = nav_link("/console", "Overview", section == "overview");
    const context& here = of.where != nullptr ? *of.where : *in.contexts().front();
    for (const nav_entry& each : sections) {
        entries += nav_link(target(path_in(here, {each.section})), each.title, section == each.section);
    }
    entries += nav_link("/console/actions", "Actions", section == "actions");
    return element("nav", {{"aria-label", "Console"}}, element("ul", entries));
}

/// The contexts to choose from, when there are several.
markup context_choice(const console& in, const visit& of) {
    if (in.contexts().size() == 1) return faint(in.contexts().front()->name());
    markup entries;
    for (const auto& each : in.contexts()) {
        entries += nav_link(target(path_in(*each, {"rows"})), each->name(), of.where == each.get());
    }
    return element("nav", {{"aria-label", "Contexts"}, {"class", "contexts"}}, element("ul", entries));
}

markup visitor(const console& in, const visit& of) {
    const bool can_log_in = !in.settings().users.empty();
    markup content;
    if (of.who.name.empty()) {
        content = faint(of.who.role == console_role::none ? "" : "looking only");
        if (can_log_in) content += link("/console/login", "Log in");
    } else {
        content = element("span", of.who.name) + faint(config::to_string(of.who.role));
        if (of.who.by == principal::proof::session) {
            content += change_form("/console/logout", of.form_token, button("Log out"));
        }
    }
    return element("div", {{"class", "visitor"}}, content);
}

markup head_of(std::string_view title, bool is_live) {
    markup head = void_element("meta", {{"charset", "utf-8"}}) +
                  void_element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}) +
                  void_element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}) +
                  element("title", fmt::format("{} · Sluice", title)) +
                  void_element("link", {{"rel", "icon"}, {"href", asset_path("icon.svg")}}) +
                  void_element("link", {{"rel", "stylesheet"}, {"href", asset_path("console.css")}});
    head += element("script", {{"src", asset_path("console.js")}, {"defer", true}, {"data-live", is_live}}, markup{});
    return element("head", head);
}

markup brand() {
    return element("a", {{"href", "/console"}, {"class", "brand"}},
                   element("svg", {{"viewBox", "0 0 24 24"}, {"aria-hidden", "true"}},
                           element("path", {{"d", "M3 5h6v14H3zM15 5h6v14h-6zM9 14h6v2H9zM9 9h6v2H9z"}}, markup{})) +
                       "Sluice");
}

}  // namespace

std::vector<std::string> path_in(const context& of, std::vector<std::string> rest) {
    std::vector<std::string> all{"console", "contexts", of.name()};
    for (std::string& each : rest) all.push_back(std::move(each));
    return all;
}

std::vector<std::string> path_in(const visit& of, std::vector<std::string> rest) {
    return path_in(*of.where, std::move(rest));
}

markup why_no_actions(const visit& of) {
    if (may_act(of)) return {};
    return element(
        "p", {{"class", "faint"}},
        of.who.name.empty() ? "To act, log in as an operator." : "Your role is viewer: an operator can act here.");
}

http::http_answer page(const console& in, const visit& of, const page_parts& parts) {
    const bool is_stranger = of.who.role == console_role::none;
    markup header = brand();
    if (!is_stranger) header += context_choice(in, of);
    header += visitor(in, of);
    markup body = element("a", {{"href", "#main"}, {"class", "skip"}}, "Skip to the content");
    body += element("header", header);
    if (!is_stranger) body += navigation(in, of, parts.section);
    body += element("main", {{"id", "main"}, {"tabindex", "-1"}}, element("h1", parts.title) + parts.content);
    markup footer = faint(fmt::format("Sluice {}", version()));
    if (parts.is_live) footer += element("span", {{"id", "live"}, {"role", "status"}, {"class", "faint"}}, markup{});
    body += element("footer", footer);
    return {.status = parts.status,
            .content_type = "text/html; charset=utf-8",
            .body = document(head_of(parts.title, parts.is_live), element("body", body)).html()};
}

http::http_answer error_page(const console& in, const visit& of, const failure_view& failure) {
    const char* const title = failure.status == 404   ? "Not found"
                              : failure.status == 403 ? "Not allowed"
                              : failure.status == 503 ? "Not available"
                                                      : "This did not work";
    return page(in, of,
                {.title = title,
                 .content = notice(failure.status >= 500 ? tone::bad : tone::caution, "", failure.text) +
                            paragraph(link("/console", "To the overview")),
                 .status = failure.status});
}

http::http_answer login_page(const console& in, const visit& of, const login_parts& parts) {
    markup content;
    if (!parts.trouble.empty()) content += notice(tone::bad, "", parts.trouble);
    if (in.settings().users.empty()) {
        content += paragraph("This console has no users with passwords.");
        content += paragraph("An operator adds one to " + code("[console.users]") + " with the line that " +
                             code("sluice console password NAME") + " prints; programs send a bearer token.");
    } else {
        content += element("form", {{"method", "post"}, {"action", "/console/login"}, {"class", "login"}},
                           hidden_field("csrf", parts.token) + hidden_field("back", parts.back) +
                               text_field("name", "Name", of.form.get("name")) +
                               text_field("password", "Password", "", "", "password") + button("Log in", tone::good));
    }
    return page(in, of, {.title = "Log in", .section = "login", .content = content});
}

http::http_answer ask(const console& in, const visit& of, const std::string& section, const question& about) {
    markup fields;
    for (const auto& [name, value] : about.fields) {
        if (name != "csrf") fields += hidden_field(name, value);
    }
    fields += hidden_field("confirmed", "yes");
    fields += element("div", {{"class", "buttons"}},
                      button(about.agree, about.is_loss ? tone::bad : tone::good) + link(about.cancel, "Cancel"));
    return page(in, of,
                {.title = about.title,
                 .section = section,
                 .content = notice(about.is_loss ? tone::bad : tone::caution, "", about.text) +
                            change_form(about.to, of.form_token, fields)});
}

http::http_answer tell(const console& in, const visit& of, const std::string& section, std::string_view title,
                       const markup& text, std::string_view back) {
    return page(in, of,
                {.title = std::string{title},
                 .section = section,
                 .content = notice(tone::good, "", text) + paragraph(link(back, "Back"))});
}

}  // namespace sluice::console
