#include "store/memory/memory_database.hpp"

#include <utility>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store {
namespace {

class memory_database final : public database {
public:
    explicit memory_database(std::string name) : name_{std::move(name)} {}

    std::string describe() const override { return "memory " + name_; }

    void setup() override {}  // it is born ready
    schema_status schema() override { return {.applied = 1, .expected = 1, .pending = {}}; }
    std::string identity() override { return identity_; }

    std::unique_ptr<unit_session> open_unit() override { return memory::make_unit_session(data_); }
    std::unique_ptr<lane_session> open_lane() override { return memory::make_lane_session(data_); }
    std::unique_ptr<operations_session> open_operations() override { return memory::make_operations_session(data_); }
    std::unique_ptr<read_model_session> open_read_models() override { return memory::make_read_model_session(data_); }

private:
    const std::string name_;
    const std::string identity_ = base::uuid4_hex(base::system_random());
    memory::memory_data data_;
};

}  // namespace

std::unique_ptr<database> make_memory_database(std::string name) {
    return std::make_unique<memory_database>(std::move(name));
}

}  // namespace sluice::store
