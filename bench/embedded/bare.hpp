#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/settle_clock.hpp"

struct sqlite3;

/// The limits that Sluice is held against: the same SQL without anything around it.
namespace sluice::bench {

class bare_connection {
public:
    explicit bare_connection(const std::filesystem::path& file);
    void execute(const std::string& sql);
    [[nodiscard]] sqlite3* get() const noexcept { return handle_.get(); }

private:
    struct closer {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::unique_ptr<sqlite3, closer> handle_;
};

class statement;

/// Writes the state of an aggregate, one durable transaction each, and nothing else.
class plain_insert {
public:
    plain_insert(const std::filesystem::path& file, std::string state);
    plain_insert(const plain_insert&) = delete;
    plain_insert& operator=(const plain_insert&) = delete;
    ~plain_insert();
    void commit_one();

private:
    bare_connection db_;
    std::string state_;
    std::unique_ptr<statement> begin_;
    std::unique_ptr<statement> insert_;
    std::unique_ptr<statement> commit_;
    std::size_t next_ = 0;
};

/// Fetches, copies into the broker's tables and settles, batch by batch, until nothing is left; tells the clock.
/// Returns the rows.
std::size_t drain_bare(const std::filesystem::path& database, const std::filesystem::path& broker,
                       const std::string& target, int batch, settle_clock& clock);

}  // namespace sluice::bench
