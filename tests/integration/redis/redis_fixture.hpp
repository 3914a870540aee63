#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "broker/redis/redis_broker.hpp"
#include "observe/log.hpp"
#include "support/eventually.hpp"
#include "support/notes.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::redis_test {

using sluice::testing::is;
using sluice::testing::note;
using sluice::testing::publish;
using sluice::testing::told;
using std::chrono::milliseconds;
using std::chrono::seconds;
using strings = std::vector<std::string>;

inline constexpr auto order_stream = "shop::order";

[[nodiscard]] inline strings receipts(const std::vector<verdict>& verdicts) {
    strings result;
    for (const auto& v : verdicts) {
        const auto* yes = std::get_if<delivered>(&v);
        result.push_back(yes != nullptr ? yes->receipt : told(v));
    }
    return result;
}

[[nodiscard]] inline strings lines(const std::string& text) {
    strings result;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        result.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return result;
}

[[nodiscard]] inline bool eventually(const std::function<bool()>& condition, duration within = testing::long_enough) {
    return testing::eventually(condition, within);
}

/// A server of its own for each test.
class redis_test : public ::testing::Test {
protected:
    explicit redis_test(strings arguments = {}) : server_{directory_ / "redis", std::move(arguments)} {
        observe::configure_log({.threshold = observe::level::off});
    }
    ~redis_test() override { observe::configure_log({}); }

    [[nodiscard]] std::unique_ptr<broker> connect(redis_options options = {}) const {
        if (options.uri == redis_options{}.uri) options.uri = server_.uri();
        return make_redis_broker(std::move(options));
    }
    /// `headers.id` of each entry, in order.
    [[nodiscard]] strings ids_in(const std::string& stream = order_stream) const { return server_.message_ids(stream); }
    [[nodiscard]] strings entries_in(const std::string& stream = order_stream) const {
        strings entries;
        const auto all = lines(server_.cli({"xrange", stream, "-", "+"}));
        for (std::size_t i = 0; i < all.size(); i += 3) entries.push_back(all[i]);
        return entries;
    }

    sluice::testing::temporary_directory directory_;
    sluice::testing::redis_server server_;
};

}  // namespace sluice::broker::redis_test
