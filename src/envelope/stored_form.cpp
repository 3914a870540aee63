#include "envelope/stored_form.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <string>

#include <sluice/metadata.hpp>

#include "base/json_text.hpp"

namespace sluice::envelope {

namespace {

/// Walks through a text of a known form. Each step is false where the text is another one, and then no step is left.
class walker {
public:
    explicit walker(std::string_view text) : next_{text.data()}, end_{text.data() + text.size()} {}

    [[nodiscard]] const char* place() const noexcept { return next_; }
    [[nodiscard]] std::string_view rest() const noexcept { return {next_, end_}; }
    [[nodiscard]] std::string_view since(const char* begin) const noexcept { return {begin, next_}; }

    bool skip(std::string_view literal) noexcept {
        if (!rest().starts_with(literal)) return false;
        next_ += literal.size();
        return true;
    }
    bool text(std::string_view& content) noexcept {
        if (!skip("\"")) return false;
        const char* const begin = next_;
        next_ = json::find_not_plain(next_, end_);
        content = since(begin);
        return skip("\"");
    }
    bool text_or_null() noexcept {
        std::string_view dropped;
        return skip("null") || text(dropped);
    }
    bool flag(bool& value) noexcept {
        value = skip("true");
        return value || skip("false");
    }
    /// As `std::to_string` writes it.
    bool number(std::int64_t& value) {
        const auto [stop, problem] = std::from_chars(next_, end_, value);
        if (problem != std::errc{} || std::to_string(value) != std::string_view{next_, stop}) return false;
        next_ = stop;
        return true;
    }

private:
    const char* next_;
    const char* end_;
};

/// Whether `date_time` would write the time as it stands here: `2026-11-23T07:56:25.613701+00:00`, where the fraction
/// is left out when it is zero. Some odd times are refused that could be written so.
bool is_time(std::string_view text) noexcept {
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    constexpr std::string_view fraction = ".dddddd";
    constexpr std::string_view zone = "+00:00";
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto has_form = [&is_digit](std::string_view part, std::string_view of) {
        return std::ranges::equal(part, of,
                                  [&](char c, char wanted) { return wanted == 'd' ? is_digit(c) : c == wanted; });
    };
    const bool is_whole = text.size() == form.size() + zone.size();
    if (!is_whole && text.size() != form.size() + fraction.size() + zone.size()) return false;
    if (!has_form(text.substr(0, form.size()), form) || !text.ends_with(zone)) return false;
    const auto part = text.substr(form.size(), fraction.size());
    if (!is_whole && (!has_form(part, fraction) || part == ".000000")) return false;
    const auto two = [&text](std::size_t at) { return 10 * (text[at] - '0') + text[at + 1] - '0'; };
    const int year = 100 * two(0) + two(2);
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(two(5))},
                                           std::chrono::day{static_cast<unsigned>(two(8))}};
    return year >= 1 && date.ok() && two(11) < 24 && two(14) < 60 && two(17) < 60;
}

bool read_trace_parent(walker& at, stored_form& found) {
    if (at.skip("null")) return true;
    const bool is_read = at.skip(R"({"trace_id":)") && at.text(found.trace_id) && at.skip(R"(,"parent_id":)") &&
                         at.text(found.parent_id) && at.skip(R"(,"sampled":)") && at.flag(found.sampled) &&
                         at.skip("}");
    if (!is_read) return false;
    const trace_parent read{std::string{found.trace_id}, std::string{found.parent_id}, found.sampled};
    return trace_parent::from_w3c(read.to_w3c()) == read;
}

bool read_headers(walker& at, stored_form& found) {
    std::string_view stream;
    const char* const begin = at.place();
    if (!(at.skip(R"("id":)") && at.text(found.id) && at.skip(R"(,"time":)") && at.text(found.time) &&
          is_time(found.time) && at.skip(R"(,"type":)") && at.text(found.type) && at.skip(R"(,"stream":)") &&
          at.text(stream) && at.skip(R"(,"traceparent":)") && read_trace_parent(at, found))) {
        return false;
    }
    found.headers = at.since(begin);
    return at.skip(R"(,"idempotency_key":)") && at.text_or_null() && at.skip(R"(,"deadline":)") && at.text_or_null();
}

bool read_domain(walker& at, stored_form& found) {
    std::string_view dropped;
    bool flag = false;
    std::int64_t version = 0;
    std::int64_t number = 0;
    const char* begin = at.place();
    if (!(at.skip(R"("fqn":)") && at.text(dropped) && at.skip(R"(,"kind":)") &&
          (at.skip(R"("EVENT")") || at.skip(R"("COMMAND")")) && at.skip(R"(,"origin_stream":)") && at.text_or_null() &&
          at.skip(R"(,"stream_category":)") && at.text(dropped) && at.skip(R"(,"version":)") && at.number(version) &&
          at.skip(R"(,"sequence_id":)") && at.text_or_null())) {
        return false;
    }
    found.origin = at.since(begin);
    if (version < 1 || version > std::numeric_limits<int>::max()) return false;
    if (!(at.skip(R"(,"asynchronous":)") && at.flag(flag) && at.skip(R"(,"expected_version":)") &&
          (at.skip("null") || at.number(number)) && at.skip(R"(,"priority":)") && at.number(number) && at.skip(","))) {
        return false;
    }
    begin = at.place();
    if (!at.skip(R"("correlation_id":)")) return false;
    found.has_correlation = !at.skip("null");
    if (found.has_correlation && !at.text(found.correlation_id)) return false;
    if (!(at.skip(R"(,"causation_id":)") && at.text_or_null())) return false;
    found.causes = at.since(begin);
    return true;
}

}  // namespace

std::optional<stored_form> read_stored_form(std::string_view metadata) {
    stored_form found;
    walker at{metadata};
    std::string_view dropped;
    const bool is_read = at.skip(R"({"headers":{)") && read_headers(at, found) &&
                         at.skip(R"(},"envelope":{"specversion":)") && at.text(dropped) && at.skip(R"(,"checksum":)") &&
                         at.text_or_null() && at.skip(R"(},"domain":{)") && read_domain(at, found) &&
                         at.skip(R"(},"event_store":null,"extensions":)");
    if (!is_read || !at.rest().starts_with('{') || !at.rest().ends_with("}}")) return std::nullopt;
    found.extensions = at.rest().substr(0, at.rest().size() - 1);
    return found;
}

}  // namespace sluice::envelope
