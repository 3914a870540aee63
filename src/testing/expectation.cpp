#include <sluice/test.hpp>

#include <algorithm>
#include <exception>

#include "domain/aggregate_access.hpp"

namespace sluice::test::detail {

namespace {

std::string listed(const std::vector<event_text>& events) {
    if (events.empty()) return "  nothing\n";
    std::string text;
    for (const event_text& each : events) text += "  " + each.type + " " + each.data + "\n";
    return text;
}

std::string what_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

}  // namespace

std::vector<event_text> take_events(aggregate_root& object) {
    std::vector<event_text> events;
    for (sluice::detail::recorded_event& each : sluice::detail::aggregate_access::take_events(object)) {
        events.push_back({std::string{each.type}, std::move(each.data)});
    }
    return events;
}

void mark_stored(aggregate_root& object, std::int64_t version) {
    sluice::detail::aggregate_access::set_version(object, version);
}

void require_equal(const std::vector<event_text>& expected, const std::vector<event_text>& found,
                   std::string_view subject) {
    if (expected == found) return;
    const auto differ = std::ranges::mismatch(expected, found);
    const auto place = differ.in1 - expected.begin();
    throw failure{std::string{subject} + ": events differ from number " + std::to_string(place + 1) +
                  " on\nexpected:\n" + listed(expected) + "found:\n" + listed(found)};
}

void require_same_state(const std::string& replayed, const std::string& with_snapshots, std::string_view subject) {
    if (replayed == with_snapshots) return;
    throw failure{std::string{subject} +
                  ": its events alone lead to another state than with snapshots between them: a "
                  "member is described that does not come back as it was written, or one that "
                  "matters is not described\nevents alone:\n  " +
                  replayed + "\nwith snapshots:\n  " + with_snapshots + "\n"};
}

void require_refusal(const std::exception_ptr& thrown, bool is_expected, std::string_view part) {
    if (!thrown) throw failure{"a refusal was expected, but it went through"};
    const std::string what = what_of(thrown);
    if (!is_expected) throw failure{"another refusal was expected than: " + what};
    if (what.find(part) == std::string::npos) {
        throw failure{"the refusal does not say `" + std::string{part} + "`: " + what};
    }
}

void report_unexpected(const std::exception_ptr& thrown) {
    throw failure{"events were expected, but it was refused: " + what_of(thrown)};
}

}  // namespace sluice::test::detail
