-- A few products. PROD-101 is the one that the smoke checks and the handbook's event ask for.
INSERT OR IGNORE INTO product_prices (product_id, price, currency) VALUES
    ('PROD-101', '99.99', 'USD'),
    ('PROD-102', '149.90', 'USD'),
    ('PROD-103', '0.10', 'EUR'),
    ('PROD-104', '1250', 'JPY'),
    ('PROD-105', '123456789.123456', 'USD');
