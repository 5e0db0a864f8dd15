-- What seed/data/02_prices.sql has. NUMBER keeps every digit of an amount, but no zeros at its end.
INSERT INTO product_prices (product_id, price, currency)
SELECT seed.product_id, seed.price, seed.currency FROM (
    SELECT 'PROD-101' AS product_id, 99.99 AS price, 'USD' AS currency FROM dual UNION ALL
    SELECT 'PROD-102', 149.90, 'USD' FROM dual UNION ALL
    SELECT 'PROD-103', 0.10, 'EUR' FROM dual UNION ALL
    SELECT 'PROD-104', 1250, 'JPY' FROM dual UNION ALL
    SELECT 'PROD-105', 123456789.123456, 'USD' FROM dual
) seed
WHERE NOT EXISTS (SELECT 1 FROM product_prices there WHERE there.product_id = seed.product_id)
/
