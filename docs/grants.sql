-- Run once by the owner of the database, who also runs `sluice db setup` and `sluice projection rebuild`.
CREATE ROLE shop_app LOGIN;     -- sluice server, process, outbox, dlq
CREATE ROLE shop_reader LOGIN;  -- sluice status, outbox list, events: looks and changes nothing

GRANT USAGE ON SCHEMA shop TO shop_app, shop_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_app, shop_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA shop TO shop_app, shop_reader;  -- to notice a sequence that is behind
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shop TO shop_app;

GRANT INSERT ON shop.event_log TO shop_app;  -- an event is never changed and never deleted
GRANT INSERT, UPDATE ON shop.outbox_broker TO shop_app;          -- a broker keeps its number
GRANT INSERT, UPDATE ON shop.outbox_backfill TO shop_app;        -- what was ordered stays on record
GRANT INSERT, DELETE ON shop.outbox_ledger TO shop_app;          -- a record is never changed
GRANT INSERT, UPDATE, DELETE ON shop.outbox_row, shop.lease, shop.inbox, shop.aggregate_state, shop.snapshot,
    shop.command_outcome, shop.scheduled, shop.kept_message, shop.stand_by TO shop_app;
GRANT USAGE ON SEQUENCE shop.kept_message_number_seq TO shop_app;  -- replayed messages get a new number
GRANT INSERT, UPDATE, DELETE ON shop.sluice_meta TO shop_app;  -- a new incarnation, pauses of lanes, audits
GRANT UPDATE ON shop.projection TO shop_app;           -- to lock the row of a read model

-- The tables of read models, also of those to come. PostgreSQL has no pattern for names: name each instead to be strict.
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO shop_reader;
