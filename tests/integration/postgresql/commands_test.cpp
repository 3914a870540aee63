#include <atomic>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/post_office.hpp"

/// Commands with idempotency keys, given by several services at once.
namespace sluice::store::postgresql_test {
namespace {

class commands_on_postgresql : public postgresql_ready {
protected:
    /// A service of its own, with connections of its own.
    [[nodiscard]] std::unique_ptr<commit::environment> service() const {
        commit::adapters parts;
        parts.databases.emplace("default", open_database());
        return std::make_unique<commit::environment>(domain_.declared(), config::configuration{}, parts, system_clock(),
                                                     base::system_random());
    }

    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
};

TEST_F(commands_on_postgresql, with_one_key_have_one_effect_however_many_give_them_at_once) {
    const auto first = service();
    const auto second = service();
    command::make_context(*first).process(post::post_letter{.letter_id = "l-1"});
    std::atomic<int> answers = 0;
    {
        std::vector<std::jthread> givers;
        for (int i = 0; i < 8; ++i) {
            givers.emplace_back([&, i] {
                auto in = command::make_context(i % 2 == 0 ? *first : *second);
                in.process(post::stamp_letter{.letter_id = "l-1"}, {.idempotency_key = "once"});
                ++answers;
            });
        }
    }
    EXPECT_EQ(answers, 8) << "everybody is told of the success";
    EXPECT_EQ(scalar("SELECT state->>'stamps' FROM aggregate_state"), "1");
    EXPECT_EQ(scalar("SELECT count(*) FROM event_log"), "2");
}

TEST_F(commands_on_postgresql, with_a_key_fail_again_for_whoever_repeats_them) {
    const auto first = service();
    const auto second = service();
    for (const auto* each : {&first, &second}) {
        auto in = command::make_context(**each);
        EXPECT_THROW(in.process(post::stamp_letter{.letter_id = "nobody"}, {.idempotency_key = "k"}), not_found_error);
    }
    EXPECT_EQ(hook_->seen("commands").size(), 1U);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
