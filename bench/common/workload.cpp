#include "common/workload.hpp"

#include <utility>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "command/invocation.hpp"

namespace sluice::bench {

namespace {

class Reading;

struct ReadingTaken {
    static constexpr event_of<Reading> contract{.published = true};
    identifier reading_id;
    text content;
};

class Reading : public aggregate<Reading> {
public:
    Reading() = default;
    Reading(identifier reading_id, const std::string& content) : reading_id_{std::move(reading_id)}, content_{content} {
        raise(ReadingTaken{.reading_id = reading_id_, .content = content});
    }

private:
    identifier reading_id_;
    text content_;
    BOOST_DESCRIBE_CLASS(Reading, (), (), (), (reading_id_, content_))
};

struct TakeReading {
    static constexpr command_of<Reading> contract{};
    identifier reading_id;
};

const std::string& content() {
    static const std::string text(payload_bytes - 60, 'x');
    return text;
}

struct reading_commands {
    void operator()(const TakeReading& command, context& bench) const {
        bench.repository<Reading>().add(Reading{command.reading_id, content()});
    }
};

domain make_domain() {
    domain bench{"bench"};
    bench.aggregate<Reading>().events<ReadingTaken>();
    bench.command_handler<reading_commands, TakeReading>();
    return bench;
}

}  // namespace

std::string partner(int number) { return "partner_" + std::to_string(number); }

workload::workload(std::shared_ptr<store::database> database, int external, broker_map brokers)
    : domain_{make_domain()}, database_{std::move(database)} {
    database_->setup();
    config::configuration configuration;
    for (int i = 1; i <= external; ++i) configuration.outbox.external_brokers.push_back(partner(i));
    commit::adapters parts;
    parts.databases.emplace("default", database_);
    parts.brokers = std::move(brokers);
    env_ = std::make_unique<commit::environment>(domain_.declared(), configuration, std::move(parts), system_clock(),
                                                 base::system_random());
}

committer::committer(workload& work)
    : context_{command::make_context(work.env())}, prefix_{base::uuid4_hex(base::system_random()).substr(0, 8)} {}

void committer::commit_one() { context_.process(TakeReading{.reading_id = prefix_ + std::to_string(++next_)}); }

void committer::commit_many(std::size_t events) {
    constexpr std::size_t per_commit = 500;
    for (std::size_t made = 0; made < events;) {
        unit_of_work work{context_};
        for (std::size_t i = 0; i < per_commit && made < events; ++i, ++made) commit_one();
        work.commit();
    }
}

std::string committer::last_message_id() const { return "bench::reading-" + prefix_ + std::to_string(next_) + "-0.1"; }

std::string state_text(std::string_view id) {
    return R"({"reading_id":")" + std::string{id} + R"(","content":")" + content() + R"("})";
}

}  // namespace sluice::bench
