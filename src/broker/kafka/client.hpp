#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/kafka/handles.hpp"
#include "broker/kafka/properties.hpp"
#include "net/deadline.hpp"
#include "net/outage.hpp"

namespace sluice::broker::kafka {

using net::outage;

/// What a call into the library waits for at most before it looks whether somebody is in a hurry.
inline constexpr std::chrono::milliseconds longest_nap{50};

/// The library's or the broker's words about an error: one line, bounded.
[[nodiscard]] std::string words_of(rd_kafka_resp_err_t code, std::string_view more = {});

/// One instance of the library. Making one connects to nobody and waits for nobody.
///
/// Thread safety: as that of the library, any thread may use `get()`; the rest belongs to one thread.
/// Lifetime: nothing that was made from it may outlive it.
class client {
public:
    enum class kind { producer, consumer };

    /// @param prepare  sets callbacks
    /// @throws configuration_error naming a property that cannot be set; values of secrets are not quoted
    client(kind what, const properties& with, const std::function<void(rd_kafka_conf_t*)>& prepare = {});
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    /// Bounded: what the library cannot end in a few seconds is left behind, and the log says so. What a producer has
    /// not sent by then is never sent.
    ~client();

    [[nodiscard]] rd_kafka_t* get() const noexcept { return instance_; }
    /// The destructor leaves the instance alone, because the library would end the process.
    void leave_behind() noexcept { is_left_ = true; }

    /// Notes an error event. False when the event is none.
    bool note_error(rd_kafka_event_t* event);
    void note_error(rd_kafka_resp_err_t code, std::string_view text);
    /// Of the last error that says more than that nobody answers; empty when there was none.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    void forget_trouble() noexcept { trouble_.clear(); }
    /// This instance can do no more; a new one can.
    [[nodiscard]] bool is_broken() const;
    /// There is trouble, and files of TLS are others than those that it was made with: a new instance reads them.
    [[nodiscard]] bool is_outdated() const;

private:
    struct file_read {
        std::filesystem::path file;
        std::filesystem::file_time_type written;
    };

    rd_kafka_t* instance_ = nullptr;  ///< owned; see the destructor
    bool is_left_ = false;
    std::string trouble_;
    std::vector<file_read> files_;  ///< once, when it was made
};

/// Whether each property has a value that the library takes. Connects to nobody.
/// @throws configuration_error
void check_properties(const properties& with);

/// Calls `ask` with a queue and options for an answer until `until`, and waits for that answer.
/// @throws outage  there was none
[[nodiscard]] event_handle ask(const client& whom, rd_kafka_admin_op_t what,
                               const std::function<void(rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& request,
                               const net::deadline& until);

}  // namespace sluice::broker::kafka
