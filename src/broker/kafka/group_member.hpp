#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/wake.hpp"
#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/committer.hpp"
#include "broker/kafka/entry_name.hpp"
#include "broker/kafka/share.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::kafka {

/// A member of a consumer group, with a thread that speaks for it to the library: joining, leaving, taking partitions
/// up and giving them back, committing. Messages are taken by the reader's own thread, out of the library's memory.
///
/// What is settled is committed about ten times a second and whenever a partition is given back. Before one is given
/// back to another member, what is in hand of it is waited for, for some seconds. A partition that was lost without
/// that is dropped: what was in hand of it comes again, to whoever has it now.
///
/// Thread safety: one thread uses it; its own is inside.
class group_member {
public:
    group_member(std::shared_ptr<const cluster> at, std::vector<std::string> streams, const membership& who);
    group_member(const group_member&) = delete;
    group_member& operator=(const group_member&) = delete;
    /// Commits and leaves, within some seconds.
    ~group_member();

    /// Joins the group again when the member had left it. @throws broker_error once for each trouble that was met
    [[nodiscard]] std::vector<delivery> take(std::size_t stream, std::size_t limit);
    /// Entries that are not in hand are passed over.
    void settle(std::size_t stream, const entry_name& entry);
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout);
    void sign_of_life();
    /// Gives back everything, and joins no more until `take` is called.
    void leave();

private:
    static void on_rebalance(rd_kafka_t* instance, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* which,
                             void* self);
    static void on_error(rd_kafka_t* instance, int code, const char* text, void* self);

    void run(const std::stop_token& stop);
    void step();
    void join();
    void make_topics();
    void assign(rd_kafka_topic_partition_list_t* which);
    void revoke(rd_kafka_topic_partition_list_t* which);
    [[nodiscard]] shares find_places(const std::vector<topic_partition>& of);
    [[nodiscard]] std::int64_t first_wanted(const topic_partition& of, const watermarks& marks);
    void wait_for_handlers(const std::vector<topic_partition>& of);
    void commit_changes();
    void commit_and_wait();
    [[nodiscard]] std::vector<kept_place> changed_places();
    void note_kept(const std::vector<kept_place>& places);
    void find_lost_places();
    void leave_when_silent();
    void farewell();
    [[nodiscard]] bool is_member() const;
    void poll_in_haste();
    void close();
    void keep_early(message_handle message);
    [[nodiscard]] delivery to_delivery(const rd_kafka_message_t& message, std::size_t stream) const;
    [[nodiscard]] bool has_more();
    void note_trouble(const std::string& what);
    [[nodiscard]] std::int64_t now_micros() const;
    [[nodiscard]] net::deadline answer_deadline() const { return net::deadline{at_->options.answer_timeout}; }

    std::shared_ptr<const cluster> at_;
    std::vector<std::string> streams_;
    std::map<std::string, std::size_t, std::less<>> stream_of_topic_;
    membership who_;
    base::wake_signal messages_;  ///< the library writes to it: must outlive the client
    std::unique_ptr<client> client_;
    std::optional<committer> committer_;

    std::mutex mutex_;
    shares shares_;                ///< guarded
    bool wants_in_ = true;         ///< guarded
    bool must_leave_ = false;      ///< guarded
    std::string trouble_;          ///< guarded; not told yet
    std::size_t first_share_ = 0;  ///< of the next take: none is served first for ever
    std::atomic<std::int64_t> last_sign_ = 0;
    std::atomic<bool> waits_ = false;

    // Of the own thread:
    bool is_in_ = false;  ///< subscribed
    bool was_in_ = false;
    bool was_member_ = false;
    bool was_assigned_ = false;
    bool ends_ = false;
    bool told_missing_ = false;
    std::jthread thread_;
};

}  // namespace sluice::broker::kafka
