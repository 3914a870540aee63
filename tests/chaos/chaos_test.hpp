#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "service_process.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::chaos {

/// Real services in a directory of their own, which is kept when the test fails.
class chaos_test : public ::testing::Test {
protected:
    /// The services of a test are its own members, so they have ended by now and write nothing more.
    ~chaos_test() override {
        if (HasFailure()) directory_.keep();
    }

    /// The program with these words, on a domain. Nothing is started. Each has a log of its own, named after what it
    /// does.
    /// @param domain  the library
    /// @param below   where it works, below the directory
    [[nodiscard]] std::unique_ptr<service_process> service(const std::string& domain, std::vector<std::string> words,
                                                           const std::string& below = {});

    /// Configures a service as the example is, on its embedded adapters.
    /// @param below  where the service works, below the directory; made when it is not there
    /// @param more   lines that follow those of the example's last section
    void configure_as_example(const std::string& name, const std::string& below, const std::string& more) const;

    /// A command as `process -` reads it.
    /// @param data  the members of the JSON object
    [[nodiscard]] static std::string command_line(const std::string& command, const std::string& data);
    /// Sends a command to a committer that may have been killed: then it is started, and the command is lost.
    static void send(service_process& committer, const std::string& command, const std::string& data);

    /// Does the work again and again for a while.
    /// @param pause  after each time
    template <class Work>
    static void work_for(std::chrono::milliseconds time, std::chrono::milliseconds pause, const Work& work) {
        const auto end = std::chrono::steady_clock::now() + time;
        for (; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(pause)) work();
    }

    /// What the broker has is what the log has: each stream's events once, and in order.
    /// @param events  SQL condition for the events that belong on this broker
    /// @returns how many streams they are of
    static std::size_t expect_delivered_once_and_in_order(const std::filesystem::path& database,
                                                          const std::filesystem::path& broker,
                                                          const std::string& events);

    sluice::testing::temporary_directory directory_;

private:
    int services_ = 0;
};

}  // namespace sluice::chaos
