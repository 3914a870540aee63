#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/detail/rows.hpp>

#include "base/random.hpp"
#include "store/read_model_records.hpp"

namespace sluice::projection {

/// The rows of one read model within one unit: what was read, with the changes made on top, and what has to be written
/// in the end. Pure but for the reading, which is given.
///
/// Thread safety: none.
class row_unit final : public detail::row_set {
public:
    using reader = std::function<std::optional<store::stored_row>(std::string_view key)>;

    /// @param read  what is in the table
    explicit row_unit(reader read) : read_{std::move(read)} {}

    [[nodiscard]] std::optional<std::string> find(std::string_view key) override;
    void put(std::string key, std::string row) override;
    void remove(std::string_view key) override;

    [[nodiscard]] bool changed() const noexcept;
    /// What changed, by key, each with a number of its own. A row that was read must still be as it was; one that was
    /// written without a look is written whatever is there.
    [[nodiscard]] std::vector<store::row_write> writes(const store::row_table& table,
                                                       base::random_source& random) const;

private:
    struct entry {
        std::optional<std::int64_t> seen{};  ///< version that was read, 0: there was none; nothing: not read
        std::optional<std::string> row{};    ///< as the unit sees it
        bool written = false;
    };

    reader read_;
    std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace sluice::projection
