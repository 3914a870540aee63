#pragma once

namespace sluice::testing {

/// SQL for PostgreSQL, with the schema as search path: what must never be in the tables of an outbox, as text, or NULL.
inline constexpr auto ledger_faults_sql = R"sql(
WITH listed AS (
    SELECT r.broker, r.part, r.after + n.seq AS seq
    FROM outbox_ledger AS r CROSS JOIN LATERAL (
        SELECT unnest(r.seqs) UNION ALL SELECT generate_series(1, (r.upto - r.after)::integer) WHERE r.seqs IS NULL
    ) AS n (seq)
), faults AS (
    SELECT format('event %s is listed for %s and has a row', l.seq, b.name) AS fault
    FROM listed AS l JOIN outbox_broker AS b ON b.number = l.broker
    JOIN outbox_row AS o ON o.target_broker = b.name AND o.seq = l.seq
    UNION ALL
    SELECT format('event %s is listed for broker %s %s times', seq, broker, count(*))
    FROM listed GROUP BY broker, seq HAVING count(*) > 1
    UNION ALL
    SELECT format('event %s is listed for broker %s and is not meant for it', l.seq, l.broker)
    FROM listed AS l LEFT JOIN event_log AS e ON e.seq = l.seq
    WHERE coalesce(e.targets & (1::bigint << l.broker) = 0, true)
    UNION ALL
    SELECT format('record %s of part %s begins before %s', upto, part, before) FROM (
        SELECT part, after, upto, lag(upto) OVER (PARTITION BY broker, part ORDER BY upto) AS before FROM outbox_ledger
    ) AS neighbours WHERE after < before
    UNION ALL
    SELECT format('record %s of part %s has %s events', upto, part, count) FROM outbox_ledger
    WHERE count <> coalesce(cardinality(seqs), upto - after) OR seqs[cardinality(seqs)] <> upto - after
       OR cardinality(times) <> count
       OR length(receipts) - length(replace(receipts, E'\x1f', '')) + 1 <> count
    UNION ALL
    SELECT format('event %s is open for %s at or below the mark %s', seq, target_broker, mark)
    FROM (SELECT o.seq, o.target_broker, (SELECT min(mark) FROM lease AS l WHERE l.broker = o.target_broker) AS mark
          FROM outbox AS o WHERE status IN ('pending', 'failed')) AS open WHERE seq <= mark
)
SELECT string_agg(fault, '; ') FROM faults)sql";

}  // namespace sluice::testing
