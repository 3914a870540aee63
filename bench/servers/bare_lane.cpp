#include "servers/bare_lane.hpp"

#include <string>
#include <utility>
#include <vector>

#include "common/settle_clock.hpp"
#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"

namespace sluice::bench {

namespace {

constexpr auto fetch_sql =
    "SELECT o.seq, o.status, o.priority, o.retry_count, o.next_retry_at, o.last_error, o.message_id, o.stream, "
    "e.stream_category, e.type, e.data, e.metadata, e.created_at "
    "FROM (SELECT * FROM bare_outbox WHERE target_broker = $1 AND seq > $2 AND status IN ('pending', 'failed') "
    "ORDER BY seq LIMIT $3) AS o "
    "CROSS JOIN LATERAL (SELECT stream_category, type, data, metadata, created_at FROM event_log AS log "
    "WHERE log.seq = o.seq OFFSET 0) AS e";
constexpr int category_column = 8;
constexpr int data_column = 10;

constexpr auto update_sql =
    "UPDATE bare_outbox AS o SET status = 'published', published_at = now(), receipt = s.receipt "
    "FROM unnest($2::bigint[], $3::text[]) AS s (seq, receipt) WHERE o.target_broker = $1 AND o.seq = s.seq";
constexpr auto remove_sql = "DELETE FROM bare_outbox WHERE target_broker = $1 AND seq = ANY ($2::bigint[])";

/// The table that this pattern is mostly built with: a row for each event and broker, and each row is updated.
constexpr auto table_sql =
    "CREATE TABLE IF NOT EXISTS bare_outbox (target_broker text COLLATE \"C\" NOT NULL, seq bigint NOT NULL, "
    "message_id text COLLATE \"C\" NOT NULL, stream text COLLATE \"C\" NOT NULL, "
    "status text COLLATE \"C\" NOT NULL DEFAULT 'pending', priority integer NOT NULL DEFAULT 0, "
    "retry_count integer NOT NULL DEFAULT 0, next_retry_at timestamptz, last_error json, published_at timestamptz, "
    "receipt text, PRIMARY KEY (target_broker, seq), UNIQUE (message_id, target_broker)) WITH (fillfactor = 45)";

void fill_table(const backlog& from, const std::string& target) {
    const pg_link db{from.uri()};
    db.execute(table_sql);
    db.execute("TRUNCATE bare_outbox");
    db.execute("INSERT INTO bare_outbox (target_broker, seq, message_id, stream) SELECT '" + target +
               "', seq, message_id, stream FROM event_log ORDER BY seq");
    db.execute("VACUUM ANALYZE bare_outbox");
    db.execute("CHECKPOINT");
}

struct sent_rows {
    std::vector<std::int64_t> seqs;
    std::vector<std::string> receipts;
};

class bare_loop {
public:
    bare_loop(const backlog& from, std::string target, std::uint16_t redis, int batch, settling how)
        : from_{from}, target_{std::move(target)}, batch_{batch}, how_{how}, db_{from.uri()}, redis_{redis} {
        db_.execute(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; "
            "SET enable_bitmapscan = off; SET enable_mergejoin = off; SET enable_sort = off");
        db_.prepare("fetch", fetch_sql);
        db_.prepare("settle", how == settling::update ? update_sql : remove_sql);
        db_.begin_pipeline();
    }

    double run() {
        send_fetch(0);
        db_.sync();
        auto page = db_.next();
        db_.synced();
        sent_rows last;
        while (PQntuples(page.get()) != 0) {
            sent_rows current;
            const auto messages = commands_for(page.get(), current);
            if (!last.seqs.empty()) send_settle(last);
            send_fetch(current.seqs.back());
            db_.sync();
            redis_.send(messages);
            if (!last.seqs.empty()) take_settled(last);
            page = db_.next();
            db_.synced();
            for (std::size_t i = 0; i < current.seqs.size(); ++i) current.receipts.emplace_back(redis_.bulk());
            last = std::move(current);
        }
        send_settle(last);
        db_.sync();
        take_settled(last);
        db_.synced();
        return clock_.rate_of(from_.rows());
    }

private:
    void send_fetch(std::int64_t after) const {
        db_.send("fetch", pg_values{}.text(target_).number(after).number(batch_));
    }
    void send_settle(const sent_rows& rows) const {
        pg_values values;
        values.text(target_).numbers(rows.seqs);
        if (how_ == settling::update) values.texts(rows.receipts);
        db_.send("settle", values);
    }
    void take_settled(const sent_rows& rows) {
        static_cast<void>(db_.next());
        clock_.add(rows.seqs.size());
    }

    [[nodiscard]] std::string commands_for(const PGresult* page, sent_rows& rows) const {
        std::string commands;
        std::string body;
        for (int row = 0; row < PQntuples(page); ++row) {
            body.assign(R"({"data":)");
            body += pg_text(page, row, data_column);
            body += R"(,"metadata":)";
            body += from_.external_metadata();
            body += '}';
            append_command(commands, {"XADD", pg_text(page, row, category_column), "*", "data", body});
            rows.seqs.push_back(pg_number(page, row, 0));
        }
        return commands;
    }

    const backlog& from_;
    std::string target_;
    int batch_;
    settling how_;
    pg_link db_;
    redis_link redis_;
    settle_clock clock_;
};

}  // namespace

double drain_bare(const backlog& from, const std::string& target, std::uint16_t redis, int batch, settling how) {
    fill_table(from, target);
    return bare_loop{from, target, redis, batch, how}.run();
}

}  // namespace sluice::bench
