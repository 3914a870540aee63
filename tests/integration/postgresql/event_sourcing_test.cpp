#include "integration/event_sourced_story.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

namespace sluice::store::postgresql_test {
namespace {

class event_sourced_on_postgresql : public postgresql_ready {};

TEST_F(event_sourced_on_postgresql, holds_the_story) { ledger::tell_event_sourced_story(open_database()); }

}  // namespace
}  // namespace sluice::store::postgresql_test
