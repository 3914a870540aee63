#include "broker/sqlite/sqlite_broker.hpp"

#include "broker/sqlite/file_link.hpp"
#include "broker/sqlite/sqlite_operations.hpp"
#include "broker/sqlite/sqlite_publisher.hpp"
#include "broker/sqlite/sqlite_reader.hpp"

namespace sluice::broker {
namespace {

class sqlite_broker final : public broker {
public:
    explicit sqlite_broker(sqlite_broker_options options)
        : file_{std::make_shared<sqlite::broker_file>(std::move(options))} {}

    [[nodiscard]] std::string describe() const override { return "sqlite " + file_->options().path.native(); }
    [[nodiscard]] capabilities can() const override {
        return {.fences = true, .walks = true, .max_message_bytes = file_->options().max_message_bytes};
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<sqlite::sqlite_publisher>(file_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<sqlite::sqlite_reader>(file_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<sqlite::sqlite_operations>(file_);
    }

private:
    std::shared_ptr<sqlite::broker_file> file_;
};

}  // namespace

std::unique_ptr<broker> make_sqlite_broker(sqlite_broker_options options) {
    return std::make_unique<sqlite_broker>(std::move(options));
}

}  // namespace sluice::broker
