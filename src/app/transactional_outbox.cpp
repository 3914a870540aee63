#include "app/transactional_outbox.hpp"

#include <optional>
#include <utility>

#include <sluice/error.hpp>

#include "app/read_settings.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "command/given_trace_parent.hpp"
#include "command/invocation.hpp"
#include "commit/foreign_event.hpp"
#include "config/check.hpp"

namespace sluice {

transactional_outbox::implementation::implementation(domain from, const settings& configuration)
    : declared{std::move(from)},
      env{declared.declared(),
          app::read_settings(configuration, declared.declared().normalized).values,
          {},
          system_clock(),
          base::system_random()} {
    config::require_no_errors(config::findings_of(declared, env.configuration()));
}

std::string transactional_outbox::implementation::write(const store::provider& on, described event,
                                                        const enqueue_options& options, const place& at) {
    const context in = command::make_context(env);
    const std::string correlation_id =
        options.correlation_id.empty() ? base::uuid4_hex(env.random()) : std::string{options.correlation_id};
    const std::string causation_id{options.causation_id};
    const std::optional<std::string> no_origin;
    const std::optional<trace_parent> traceparent = command::given_trace_parent(options.traceparent);
    const detail::provenance from{in, correlation_id, causation_id, traceparent, options.priority, no_origin};
    const commit::foreign_event prepared =
        commit::prepare_foreign_event(env, event.type, std::move(event.identity), std::move(event.data), from);
    const config::database_settings& database = env.configuration().databases.at(prepared.source.database);
    if (database.kind != &on) {
        throw usage_error{"`" + prepared.source.name + "` lives in database `" + database.name +
                          "`, whose provider is \"" + database.provider + "\", but the connection is one of " +
                          std::string{on.name()}};
    }
    return at(database, prepared.event);
}

transactional_outbox::transactional_outbox(domain declared, const std::filesystem::path& configuration)
    : transactional_outbox{std::move(declared), settings::from_file(configuration)} {}

transactional_outbox::transactional_outbox(domain declared, const settings& configuration)
    : implementation_{std::make_unique<implementation>(std::move(declared), configuration)} {}

transactional_outbox::transactional_outbox(transactional_outbox&&) noexcept = default;
transactional_outbox& transactional_outbox::operator=(transactional_outbox&&) noexcept = default;
transactional_outbox::~transactional_outbox() = default;

}  // namespace sluice
