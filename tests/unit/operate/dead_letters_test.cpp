#include "operate/dead_letters.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include <sluice/error.hpp>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;
using broker::dead_letter_entry;
using broker::dead_letter_filter;
using broker::group_status;
using broker::known_group;
using broker::letters_outcome;

const date_time failed = date_time::parse("2026-11-23T12:00:00Z");

dead_letter_entry letter(const std::string& id, date_time at, std::string body = "{}") {
    return {.id = id,
            .stream = "shop::order",
            .original_entry = "7",
            .group = "shop.notify",
            .consumer = "c",
            .reason = "no",
            .code = "handler_failed",
            .attempts = 3,
            .failed_at = at,
            .body = std::move(body)};
}

/// Keeps letters in memory, and may be away.
class some_letters final : public broker::operations {
public:
    explicit some_letters(std::vector<dead_letter_entry> letters, bool away = false)
        : letters_{std::move(letters)}, away_{away} {}

    std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& /*filter*/) override {
        return answer(), letters_;
    }
    std::size_t count(const dead_letter_filter& /*filter*/) override { return answer(), letters_.size(); }
    letters_outcome replay(const dead_letter_filter& /*filter*/) override {
        letters_outcome outcome;
        outcome.changed = letters_.size();
        outcome.interrupted = "it went away";
        return outcome;
    }
    letters_outcome purge(const dead_letter_filter& filter) override {
        EXPECT_GT(filter.limit, 1'000'000U) << "all that match";
        letters_outcome outcome;
        outcome.changed = letters_.size();
        return outcome;
    }
    std::vector<group_status> groups() override { return {}; }
    std::vector<known_group> known_groups() override { return {}; }
    std::size_t rename_group(std::string_view /*from*/, std::string_view /*to*/) override { return 0; }
    std::size_t retire_group(std::string_view /*stream*/, std::string_view /*group*/) override { return 0; }
    void abandon_group(std::string_view /*stream*/, std::string_view /*group*/, date_time /*now*/) override {}
    void trim(date_time /*now*/) override {}

private:
    void answer() const {
        if (away_) throw broker_error{"no such host"};
    }

    std::vector<dead_letter_entry> letters_;
    bool away_;
};

/// `near` has two letters, `other` has one, `gone` does not answer.
std::vector<open_broker> three_brokers() {
    std::vector<open_broker> brokers;
    brokers.push_back({"gone", std::make_unique<some_letters>(std::vector<dead_letter_entry>{}, true)});
    brokers.push_back(
        {"near", std::make_unique<some_letters>(std::vector{letter("1", failed), letter("2", failed - 2s)})});
    brokers.push_back({"other", std::make_unique<some_letters>(std::vector{letter("1", failed - 1s)})});
    return brokers;
}

TEST(find_letters, merges_brokers_by_time_and_names_those_that_are_away) {
    const letters_view found = find_letters(three_brokers(), {.limit = 2});
    ASSERT_EQ(found.letters.size(), 2U);
    EXPECT_EQ(found.letters[0].broker, "near");
    EXPECT_EQ(found.letters[1].broker, "other");
    ASSERT_EQ(found.away.size(), 1U);
    EXPECT_EQ(found.away[0].subject(), "broker gone");
    EXPECT_FALSE(found.none_answered);
}

TEST(find_letters, says_when_nobody_answered) {
    std::vector<open_broker> brokers = three_brokers();
    brokers.resize(1);
    EXPECT_TRUE(find_letters(brokers, {}).none_answered);
}

TEST(the_one, is_there_once) {
    const letters_view found = find_letters(three_brokers(), {});
    EXPECT_THROW(static_cast<void>(the_one({}, "1")), request_error);
    EXPECT_THROW(static_cast<void>(the_one(found, "1")), request_error) << "of which broker?";
    std::vector<open_broker> brokers = three_brokers();
    dead_letter_filter filter;
    narrow(brokers, filter, found.letters.at(1));
    ASSERT_EQ(brokers.size(), 1U);
    EXPECT_EQ(brokers[0].name, "other");
    EXPECT_EQ(filter.stream, "shop::order");
    EXPECT_EQ(filter.group, "shop.notify");
}

TEST(letter_change, counts_before_it_changes_and_passes_over_who_is_away) {
    letter_change change{three_brokers(), letter_action::purge, {.limit = 1}, nullptr};
    EXPECT_EQ(change.count(), 3U);
    const changed_letters outcome = change.apply();
    EXPECT_EQ(outcome.changed, 3U);
    EXPECT_EQ(json::dump(to_json(outcome)),
              R"({"changed":3,"left":[{"broker":"gone","stream":null,"group":null,"count":null,)"
              R"("reason":"no such host"}]})");
}

TEST(letter_change, of_the_only_broker_fails_when_it_is_away) {
    std::vector<open_broker> brokers = three_brokers();
    brokers.resize(1);
    EXPECT_THROW((letter_change{std::move(brokers), letter_action::purge, {}, nullptr}), broker_error);
}

TEST(letter_change, tells_of_an_action_that_was_interrupted) {
    std::vector<open_broker> brokers = three_brokers();
    brokers.erase(brokers.begin(), brokers.begin() + 2);
    const changed_letters outcome = letter_change{std::move(brokers), letter_action::replay, {}, nullptr}.apply();
    EXPECT_EQ(outcome.changed, 1U);
    ASSERT_EQ(outcome.left.size(), 1U);
    EXPECT_EQ(outcome.left[0].what.reason, "stopped on the way: it went away");
}

TEST(dead_letter_to_json, a_body_that_is_no_text_is_base64) {
    EXPECT_EQ(json::dump(to_json(located_letter{"near", letter("1", failed)})),
              R"({"id":"1","broker":"near","stream":"shop::order","entry":"7","group":"shop.notify","consumer":"c",)"
              R"("code":"handler_failed","reason":"no","attempts":3,"failed_at":"2026-11-23T12:00:00+00:00",)"
              R"("body":"{}","body_base64":null})");
    const json::value raw = to_json(located_letter{"near", letter("1", failed, "\xff\xfe")});
    EXPECT_TRUE(raw.at("body").is_null());
    EXPECT_EQ(raw.at("body_base64").as_string(), "//4=");
}

}  // namespace
}  // namespace sluice::operate
