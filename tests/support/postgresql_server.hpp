#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The PostgreSQL server that ctest's fixture `postgres` has started (servers/postgres.sh).
namespace sluice::testing::postgresql {

/// @throws std::runtime_error saying how to start it, when it does not run
[[nodiscard]] std::string uri();
/// Of the PgBouncer before it.
[[nodiscard]] std::string pooler_uri();
[[nodiscard]] int port();
/// `restart`, `crash`, `stop` or `start`: for the whole server, so only tests that run alone may do it.
void control(const std::string& action);

/// A name that no other test has.
[[nodiscard]] std::string fresh_schema();

/// A connection of the test's own, for looking and for getting in the way. Everything is text.
class session {
public:
    explicit session(const std::string& to = uri());
    session(session&&) noexcept = default;
    session& operator=(session&&) noexcept = default;
    ~session();

    /// @throws std::runtime_error with the server's words
    void execute(const std::string& sql);
    /// The first column of the first row; empty when there is none.
    [[nodiscard]] std::string scalar(const std::string& sql);
    /// The first column of all rows.
    [[nodiscard]] std::vector<std::string> column(const std::string& sql);

private:
    struct handle;
    std::unique_ptr<handle> handle_;
};

}  // namespace sluice::testing::postgresql
