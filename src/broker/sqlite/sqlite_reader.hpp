#pragma once

#include "broker/reader_by_stream.hpp"
#include "broker/sqlite/sqlite_consumer.hpp"

namespace sluice::broker::sqlite {

/// One consumer for each stream, over a connection of its own. Failed messages are kept in the file.
class sqlite_reader final : public reader_by_stream<sqlite_consumer> {
public:
    using reader_by_stream::reader_by_stream;

    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;
};

}  // namespace sluice::broker::sqlite
