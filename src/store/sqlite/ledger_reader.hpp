#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/lane_name.hpp"
#include "store/ledger.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/ledger_sql.hpp"

namespace sluice::store::sqlite {

[[nodiscard]] ledger_record read_record(const rows& found);

/// What the ledger of one broker lists, as it is in the transaction in which it was opened. Asked for numbers that
/// ascend, or descend, it reads each record once.
///
/// Thread safety and lifetime: those of the connection.
class ledger_reader {
public:
    explicit ledger_reader(connection& db) : db_{db} {}

    /// All parts.
    void open(int broker);
    /// The parts that may list what a lane of this shard carries: its own, and those of other numbers of shards.
    void open(int broker, const shard& carried);

    /// Nothing above is listed.
    [[nodiscard]] sequence end() const noexcept { return end_; }
    /// Nothing up to here is listed, of all parts that were opened; `end()` when there are none.
    [[nodiscard]] sequence begin();
    /// The end of one part's last record; 0 when it has none.
    [[nodiscard]] sequence end_of(int part) const noexcept;

    [[nodiscard]] bool lists(sequence seq);
    /// When it was published and with which receipt; empty when it is not listed.
    [[nodiscard]] std::optional<settlement> find(sequence seq);
    /// The numbers from above `after` up to `upto` that are listed, ascending; twice where two parts list one.
    [[nodiscard]] std::vector<sequence> listed(sequence after, sequence upto);
    /// What the records say of the numbers from above `after` up to `upto`; each part ascends for itself.
    [[nodiscard]] std::vector<settlement> settlements(sequence after, sequence upto);
    /// How many numbers above this one are listed.
    [[nodiscard]] std::int64_t count_above(sequence seq);

private:
    struct known_part {
        int number = 0;
        sequence end = 0;
        // The record that was looked at last is the first one to ask for numbers from `first` to `upto`.
        sequence first = 1;
        sequence upto = 0;
        sequence after = 0;
        std::optional<std::vector<std::int32_t>> numbers{};  ///< nothing: each
    };

    /// The part that lists the number; null when none does.
    [[nodiscard]] known_part* part_of(sequence seq);
    void look_at(known_part& part, sequence seq);

    connection& db_;
    int broker_ = 0;
    sequence end_ = 0;
    std::vector<known_part> parts_{};
    std::vector<settlement> details_{};  ///< of the record that was taken apart last
    statement read_parts_{db_, parts_sql};
    statement begin_{db_, begin_sql};
    statement find_record_{db_, find_record_sql};
    statement read_record_{db_, record_sql};
    statement read_above_{db_, records_above_sql};
    statement read_whole_above_{db_, whole_records_above_sql};
};

}  // namespace sluice::store::sqlite
