#include "console/widgets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include <sluice/error.hpp>

#include "base/one_line.hpp"

namespace sluice::console {

namespace {

const char* class_of(tone of) {
    switch (of) {
        case tone::good:
            return "good";
        case tone::caution:
            return "caution";
        case tone::bad:
            return "bad";
        case tone::faint:
            return "faint";
        case tone::plain:
            break;
    }
    return "plain";
}

tone tone_of(std::string_view state) {
    constexpr std::array good{"idle", "flowing", "published", "complete", "current", "ok"};
    constexpr std::array bad{"blocked", "paused", "lost", "stopped", "abandoned", "dead letters", "unknown"};
    constexpr std::array caution{"failed", "draining", "lagging", "resting", "rebuilding"};
    if (std::ranges::find(good, state) != good.end()) return tone::good;
    if (std::ranges::find(bad, state) != bad.end()) return tone::bad;
    return std::ranges::find(caution, state) != caution.end() ? tone::caution : tone::plain;
}

markup labelled(std::string_view name, std::string_view label, const markup& field, std::string_view hint) {
    markup content = element("label", {{"for", name}}, label) + field;
    if (!hint.empty()) content += element("small", {{"id", fmt::format("{}-hint", name)}}, hint);
    return element("div", {{"class", "field"}}, content);
}

}  // namespace

markup badge(tone of, std::string_view word) {
    return element("span", {{"class", fmt::format("badge {}", class_of(of))}}, word);
}

markup state_badge(std::string_view state) { return badge(tone_of(state), state); }

std::string age_text(duration age) {
    using std::chrono::duration_cast;
    const auto seconds = duration_cast<std::chrono::seconds>(age).count();
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 3600;
    constexpr std::int64_t day = 86'400;
    if (seconds < minute) return fmt::format("{} s", std::max<std::int64_t>(seconds, 0));
    if (seconds < hour) return fmt::format("{} min", seconds / minute);
    if (seconds < day) return fmt::format("{} h {} min", seconds / hour, seconds % hour / minute);
    return fmt::format("{} d {} h", seconds / day, seconds % day / hour);
}

markup time_ago(date_time at, date_time now) {
    const std::string text = at > now ? "in " + age_text(at - now) : age_text(now - at) + " ago";
    return element("time", {{"datetime", at.to_string()}, {"title", at.to_string()}}, text);
}

markup time_ago(const std::optional<date_time>& at, date_time now) { return at ? time_ago(*at, now) : faint("–"); }

std::string amount(std::int64_t number) {
    std::string digits = std::to_string(number);
    const std::size_t first = number < 0 ? 1 : 0;
    constexpr std::size_t group = 3;
    for (std::size_t at = digits.size(); at > first + group;) {
        at -= group;
        digits.insert(at, "\u2009");  // a thin space
    }
    return digits;
}

std::string count_of(std::int64_t number, std::string_view one) {
    return fmt::format("{} {}{}", amount(number), one, number == 1 ? "" : "s");
}

markup prose(std::string_view text) {
    markup result;
    for (bool is_code = false; !text.empty(); is_code = !is_code) {
        const std::string_view part = text.substr(0, text.find('`'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        result += is_code ? code(part) : markup{part};
    }
    return result;
}

markup error_text(std::string_view last_error) {
    constexpr std::size_t longest = 300;
    if (last_error.empty()) return faint("–");
    std::string text{last_error};
    try {
        const json::value read = json::parse(last_error);
        const std::string reason = read.string_or("reason", "");
        const std::string message = read.string_or("message", "");
        if (!reason.empty() || !message.empty()) {
            text = reason + (reason.empty() || message.empty() ? "" : ": ") + message;
        }
    } catch (const decode_error&) {  // somebody else has written it
    }
    return element("small", {{"title", text}}, base::one_line(text, longest));
}

markup code(std::string_view text) { return element("code", text); }

markup code_block(std::string_view text) { return element("pre", {{"tabindex", "0"}}, element("code", text)); }

markup json_block(const json::value& of) {
    if (of.is_null()) return faint("none");
    return code_block(of.is_string() ? of.as_string() : json::dump(of, json::style::pretty));
}

markup panel(std::string_view title, const markup& content, std::string_view live) {
    attributes with{{"class", "panel"}};
    if (!live.empty()) with.push_back({"data-live", live});
    return element("section", with, element("h2", title) + content);
}

markup facts(const std::vector<std::pair<std::string, markup>>& of) {
    markup content;
    for (const auto& [term, value] : of) {
        content += element("div", element("dt", term) + element("dd", value));
    }
    return element("dl", {{"class", "facts"}}, content);
}

markup paragraph(const markup& content) { return element("p", content); }

markup faint(const markup& content) { return element("span", {{"class", "faint"}}, content); }

markup notice(tone of, std::string_view title, const markup& content) {
    const markup head = title.empty() ? markup{} : element("strong", title) + " ";
    return element("div", {{"class", fmt::format("notice {}", class_of(of))}, {"role", "status"}}, head + content);
}

table& table::column(std::string title, bool is_number) {
    columns_.push_back({std::move(title), is_number});
    return *this;
}

void table::row(std::vector<markup> cells) { rows_.push_back(std::move(cells)); }

markup table::render(std::string_view otherwise) const {
    if (rows_.empty()) return element("p", {{"class", "empty"}}, otherwise);
    const auto alignment = [](const column_title& column) { return column.is_number ? "number" : "text"; };
    markup titles;
    for (const column_title& each : columns_) {
        titles += element("th", {{"scope", "col"}, {"class", alignment(each)}}, each.title);
    }
    markup body;
    for (const auto& cells : rows_) {
        markup row;
        for (std::size_t i = 0; i < cells.size() && i < columns_.size(); ++i) {
            row += element("td", {{"data-label", columns_[i].title}, {"class", alignment(columns_[i])}},
                           element("div", cells[i]));
        }
        body += element("tr", row);
    }
    return element("table",
                   element("caption", caption_) + element("thead", element("tr", titles)) + element("tbody", body));
}

markup progress_bar(std::int64_t done, std::int64_t whole, std::string_view label) {
    return element("progress", {{"value", std::to_string(done)}, {"max", std::to_string(whole)}, {"aria-label", label}},
                   markup{});
}

markup sparkline(const std::vector<double>& values, std::string_view label, bool large) {
    const double width = large ? 600 : 120;
    const double height = large ? 80 : 24;
    if (values.size() < 2) return faint("not yet");
    const double most = std::max(1e-9, *std::ranges::max_element(values));
    std::string points;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = static_cast<double>(i) * width / static_cast<double>(values.size() - 1);
        points += fmt::format("{:.1f},{:.1f} ", x, height - 1 - std::max(0.0, values[i]) / most * (height - 3));
    }
    const markup area = element(
        "polygon", {{"points", fmt::format("0,{0} {1}{2},{0}", height, points, width)}, {"class", "area"}}, markup{});
    const markup line = element("polyline", {{"points", points}, {"class", "line"}}, markup{});
    return element("svg",
                   {{"viewBox", fmt::format("0 0 {} {}", width, height)},
                    {"class", large ? "chart" : "sparkline"},
                    {"role", "img"},
                    {"preserveAspectRatio", "none"},
                    {"aria-label", label}},
                   area + line);
}

markup text_field(std::string_view name, std::string_view label, std::string_view value, std::string_view hint,
                  std::string_view kind) {
    attributes with{{"type", kind}, {"id", name}, {"name", name}, {"value", value}, {"spellcheck", "false"}};
    if (kind != "password") with.push_back({"autocomplete", name == "name" ? "username" : "off"});
    if (kind == "password") with.push_back({"autocomplete", "current-password"});
    if (!hint.empty()) with.push_back({"aria-describedby", fmt::format("{}-hint", name)});
    return labelled(name, label, void_element("input", with), hint);
}

markup choice_field(std::string_view name, std::string_view label,
                    const std::vector<std::pair<std::string, std::string>>& words, std::string_view value) {
    markup options;
    for (const auto& [word, text] : words) {
        options += element("option", {{"value", word}, {"selected", word == value}}, text);
    }
    return labelled(name, label, element("select", {{"id", name}, {"name", name}}, options), {});
}

markup check_field(std::string_view name, std::string_view label, bool checked) {
    const markup box = void_element(
        "input", {{"type", "checkbox"}, {"id", name}, {"name", name}, {"value", "yes"}, {"checked", checked}});
    return element("div", {{"class", "check"}}, box + element("label", {{"for", name}}, label));
}

markup hidden_field(std::string_view name, std::string_view value) {
    return void_element("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
}

markup button(std::string_view text, tone of, std::string_view to) {
    attributes with{{"type", "submit"}, {"class", class_of(of)}};
    if (!to.empty()) with.push_back({"formaction", to});
    return element("button", with, text);
}

markup search_form(std::string_view to, const markup& fields) {
    return element("form", {{"method", "get"}, {"action", to}, {"class", "filter"}, {"role", "search"}},
                   fields + element("div", {{"class", "buttons"}}, button("Show")));
}

markup change_form(std::string_view to, std::string_view token, const markup& content) {
    return element("form", {{"method", "post"}, {"action", to}, {"class", "change"}},
                   hidden_field("csrf", token) + content);
}

markup pager(const std::vector<std::string>& path, form_values query, std::string_view next, bool is_cut_short) {
    markup links;
    if (query.has("from")) {
        form_values first = query;
        first.erase("from");
        links += link(target(path, first), "First page");
    }
    if (!next.empty()) {
        query.set("from", std::string{next});
        links +=
            element("a", {{"href", target(path, query)}, {"rel", "next"}}, is_cut_short ? "Look further →" : "More →");
    }
    if (links.empty()) return {};
    const markup note =
        is_cut_short ? paragraph("What matches is rare: not everything was looked through yet.") : markup{};
    return note + element("nav", {{"class", "pager"}, {"aria-label", "Pages"}}, links);
}

}  // namespace sluice::console
