-- The audit table: append-only by trigger, whoever connects. Every statement may run again.
-- WAL lets several functions append at once. It cannot be switched on inside a transaction: run this file outside one.
PRAGMA journal_mode = WAL;

CREATE TABLE IF NOT EXISTS Audit_Logs_Local (
    pk                TEXT NOT NULL CHECK (pk GLOB 'USER#*'),
    sk                TEXT NOT NULL CHECK (sk GLOB 'AUDIT#*Z#*'),
    action            TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('SUCCESS', 'NOT_FOUND', 'ERROR')),
    purpose           TEXT NOT NULL CHECK (purpose IN ('USER', 'SMOKE')),
    product           TEXT,
    -- '*' stands for the whole configuration.
    configuration_key TEXT,
    request_id        TEXT NOT NULL,
    -- Seconds since 1970-01-01 UTC after which the item may be archived.
    ttl               INTEGER NOT NULL,
    PRIMARY KEY (pk, sk)
-- Without a rowid there is no second key by which REPLACE could push an item out.
) STRICT, WITHOUT ROWID;
