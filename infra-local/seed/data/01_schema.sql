-- Prices and system configuration, as the functions read them. Every statement may run again.
CREATE TABLE IF NOT EXISTS product_prices (
    product_id TEXT NOT NULL PRIMARY KEY,
    -- A decimal as text: SQLite's own numbers would turn 99.90 into a float.
    price      TEXT NOT NULL,
    currency   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS system_configuration (
    environment TEXT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (environment, key)
) STRICT, WITHOUT ROWID;
