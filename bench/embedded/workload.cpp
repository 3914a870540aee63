#include "embedded/workload.hpp"

#include <algorithm>
#include <stdexcept>

#include <stdlib.h>
#include <unistd.h>

#include "base/ids.hpp"

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

scratch::scratch(const std::filesystem::path& parent) {
    std::string pattern = (parent / "sluice-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make a directory in " + parent.string()};
    path_ = pattern;
}

scratch::~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

workload::workload(const std::filesystem::path& database, int external)
    : domain_{make_domain()},
      database_{store::make_sqlite_database({.path = database})},
      context_{[&] {
          database_->setup();
          config::configuration configuration;
          for (int i = 1; i <= external; ++i) {
              configuration.outbox.external_brokers.push_back("partner_" + std::to_string(i));
          }
          commit::adapters parts;
          parts.databases.emplace("default", database_);
          env_ =
              std::make_unique<commit::environment>(domain_.declared(), configuration, parts, system_clock(), random_);
          return commit::make_context(*env_);
      }()},
      prefix_{base::uuid4_hex(base::system_random()).substr(0, 8)} {}

void workload::commit_one() { context_.process(TakeReading{.reading_id = prefix_ + std::to_string(++next_)}); }

void workload::make_backlog(std::size_t events) {
    constexpr std::size_t per_commit = 500;
    for (std::size_t made = 0; made < events;) {
        unit_of_work work{context_};
        for (std::size_t i = 0; i < per_commit && made < events; ++i, ++made) commit_one();
        work.commit();
    }
}

std::string workload::last_message_id() const { return "bench::reading-" + prefix_ + std::to_string(next_) + "-0.1"; }

std::string workload::state_text() const {
    return R"({"reading_id":")" + prefix_ + R"(0000","content":")" + content() + R"("})";
}

double quantile(std::vector<double>& values, double q) {
    if (values.empty()) return 0;
    const auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return values[static_cast<std::size_t>(rank)];
}

double median(std::vector<double>& values) { return quantile(values, 0.5); }

}  // namespace sluice::bench
