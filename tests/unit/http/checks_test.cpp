#include "http/checks.hpp"

#include <chrono>
#include <future>
#include <thread>

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;

/// A broker that answers probes. The question for its groups waits until somebody is in a hurry.
class silent_broker final : public broker::broker {
public:
    std::promise<void> asked;

    [[nodiscard]] std::string describe() const override { return "silent"; }
    [[nodiscard]] sluice::broker::capabilities can() const override { return {}; }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<publisher>();
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return std::make_unique<operations>(asked);
    }

private:
    class publisher final : public sluice::broker::publisher {
    public:
        std::vector<sluice::broker::verdict> publish(std::span<const sluice::broker::outgoing>,
                                                     const sluice::broker::producer&, duration) override {
            return {};
        }
        std::string probe(duration) override { return {}; }
    };
    class operations final : public sluice::broker::operations {
    public:
        explicit operations(std::promise<void>& asked) : asked_{asked} {}

        std::vector<sluice::broker::group_status> groups() override {
            asked_.set_value();
            if (hurried_.get_future().wait_for(60s) != std::future_status::ready) return {};
            throw broker_error{"the broker did not answer in time", error_nature::retryable};
        }
        void hurry(duration) noexcept override { hurried_.set_value(); }

        std::vector<sluice::broker::dead_letter_entry> dead_letters(
            const sluice::broker::dead_letter_filter&) override {
            return {};
        }
        std::size_t count(const sluice::broker::dead_letter_filter&) override { return 0; }
        sluice::broker::letters_outcome replay(const sluice::broker::dead_letter_filter&) override { return {}; }
        sluice::broker::letters_outcome purge(const sluice::broker::dead_letter_filter&) override { return {}; }
        std::vector<sluice::broker::known_group> known_groups() override { return {}; }
        std::size_t rename_group(std::string_view, std::string_view) override { return 0; }
        std::size_t retire_group(std::string_view, std::string_view) override { return 0; }
        void abandon_group(std::string_view, std::string_view, date_time) override {}
        void trim(date_time) override {}

    private:
        std::promise<void>& asked_;
        std::promise<void> hurried_;
    };
};

TEST(broker_check, ends_its_question_for_the_groups_when_it_is_hurried) {
    const auto broker = std::make_shared<silent_broker>();
    broker_check check{broker, [broker] { return broker->open_operations(); }};
    const auto begin = std::chrono::steady_clock::now();
    std::jthread looking{[&] { check.look(); }};
    broker->asked.get_future().wait();
    check.hurry();
    looking.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
    EXPECT_FALSE(check.findings().has_value()) << "it was not given the time";
}

}  // namespace
}  // namespace sluice::http
