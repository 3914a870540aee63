#pragma once

/// Everything a domain needs: `#include <sluice/sluice.hpp>`.

#include <sluice/aggregate.hpp>
#include <sluice/aliases.hpp>
#include <sluice/application.hpp>
#include <sluice/context.hpp>
#include <sluice/contract.hpp>
#include <sluice/date.hpp>
#include <sluice/decimal.hpp>
#include <sluice/domain.hpp>
#include <sluice/duration.hpp>
#include <sluice/error.hpp>
#include <sluice/event_sourced.hpp>
#include <sluice/fact.hpp>
#include <sluice/fields.hpp>
#include <sluice/json.hpp>
#include <sluice/log.hpp>
#include <sluice/message.hpp>
#include <sluice/metrics.hpp>
#include <sluice/plugin.hpp>
#include <sluice/priority.hpp>
#include <sluice/process_manager.hpp>
#include <sluice/projection.hpp>
#include <sluice/repository.hpp>
#include <sluice/run.hpp>
#include <sluice/settings.hpp>
#include <sluice/subscription_options.hpp>
#include <sluice/time.hpp>
#include <sluice/trace.hpp>
#include <sluice/transactional_outbox.hpp>
#include <sluice/upcaster.hpp>
#include <sluice/uuid.hpp>
