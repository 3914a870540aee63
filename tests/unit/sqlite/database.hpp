#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <filesystem>
#include <string>

#include "sqlite/connection.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::sqlite {

/// What an adapter would make its own exception of.
struct caught_failure : failure {
    explicit caught_failure(const failure& caught) : failure{caught} {}
};

[[nodiscard]] inline std::exception_ptr keep(const failure& what) {
    return std::make_exception_ptr(caught_failure{what});
}

/// What `act` fails with.
template <class Act>
[[nodiscard]] failure failure_of(Act act) {
    try {
        act();
    } catch (const caught_failure& caught) {
        return caught;
    }
    ADD_FAILURE() << "nothing failed";
    return {};
}

/// A file that connections are opened to.
class database : public ::testing::Test {
protected:
    [[nodiscard]] connection_options options() const {
        return {.file = file_, .translate = &keep, .busy_timeout = std::chrono::milliseconds{30}};
    }
    [[nodiscard]] connection open(connection::open_mode mode = connection::open_mode::create) const {
        return connection{options(), mode};
    }
    [[nodiscard]] static std::string scalar(connection& db, const std::string& sql) {
        statement select{db, sql};
        auto found = select.query();
        return found.next() ? found.text(0) : "";
    }

    testing::temporary_directory directory_;
    std::filesystem::path file_ = directory_ / "a.db";
};

}  // namespace sluice::sqlite
