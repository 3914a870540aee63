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
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::redis_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using strings = std::vector<std::string>;

inline constexpr auto order_stream = "shop::order";

/// A message that owns its texts.
struct note {
    std::string id;
    std::string key = "shop::order-1";
    std::string stream = order_stream;
    std::string body{};  ///< empty: the wire form of a small event

    [[nodiscard]] std::string text() const {
        if (!body.empty()) return body;
        return fmt::format(R"({{"data": {{"n": 1}}, "metadata": {{"headers": {{"id": "{}", "type": "Shop.X.v1", )"
                           R"("stream": "{}"}}}}}})",
                           id, key);
    }
};

template <class Verdict>
[[nodiscard]] bool is(const verdict& v) {
    return std::holds_alternative<Verdict>(v);
}

[[nodiscard]] inline std::string reason(const verdict& v) {
    if (const auto* no = std::get_if<refused>(&v)) return "refused: " + no->reason;
    if (const auto* away = std::get_if<unreachable>(&v)) return "unreachable: " + away->reason;
    return "delivered";
}

inline std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from = {},
                                    duration timeout = seconds{10}) {
    strings bodies;
    for (const auto& n : notes) bodies.push_back(n.text());
    std::vector<outgoing> batch;
    for (std::size_t i = 0; i < notes.size(); ++i) {
        batch.push_back({.stream = notes[i].stream, .message_id = notes[i].id, .key = notes[i].key, .body = bodies[i]});
    }
    return to.publish(batch, from, timeout);
}

[[nodiscard]] inline strings receipts(const std::vector<verdict>& verdicts) {
    strings result;
    for (const auto& v : verdicts) {
        const auto* yes = std::get_if<delivered>(&v);
        result.push_back(yes != nullptr ? yes->receipt : reason(v));
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

[[nodiscard]] inline bool eventually(const std::function<bool()>& condition, duration within = seconds{10}) {
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
