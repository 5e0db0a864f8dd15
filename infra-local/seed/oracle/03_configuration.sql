-- What seed/data/03_configuration.sql has.
INSERT INTO system_configuration (environment, key, value)
SELECT seed.environment, seed.key, seed.value FROM (
    SELECT 'dev' AS environment, 'currency.default' AS key, 'USD' AS value FROM dual UNION ALL
    SELECT 'dev', 'feature.bulk-lookup', 'true' FROM dual UNION ALL
    SELECT 'dev', 'logging.level', 'info' FROM dual UNION ALL
    SELECT 'dev', 'request.timeout-seconds', '30' FROM dual UNION ALL
    SELECT 'qa', 'currency.default', 'USD' FROM dual UNION ALL
    SELECT 'qa', 'feature.bulk-lookup', 'true' FROM dual UNION ALL
    SELECT 'qa', 'logging.level', 'info' FROM dual UNION ALL
    SELECT 'qa', 'request.timeout-seconds', '30' FROM dual UNION ALL
    SELECT 'uat', 'currency.default', 'USD' FROM dual UNION ALL
    SELECT 'uat', 'feature.bulk-lookup', 'false' FROM dual UNION ALL
    SELECT 'uat', 'logging.level', 'info' FROM dual UNION ALL
    SELECT 'uat', 'request.timeout-seconds', '60' FROM dual UNION ALL
    SELECT 'prod', 'currency.default', 'USD' FROM dual UNION ALL
    SELECT 'prod', 'feature.bulk-lookup', 'false' FROM dual UNION ALL
    SELECT 'prod', 'logging.level', 'warn' FROM dual UNION ALL
    SELECT 'prod', 'request.timeout-seconds', '300' FROM dual UNION ALL
    SELECT 'dr', 'currency.default', 'USD' FROM dual UNION ALL
    SELECT 'dr', 'feature.bulk-lookup', 'false' FROM dual UNION ALL
    SELECT 'dr', 'logging.level', 'warn' FROM dual UNION ALL
    SELECT 'dr', 'request.timeout-seconds', '300' FROM dual
) seed
WHERE NOT EXISTS (
    SELECT 1 FROM system_configuration there WHERE there.environment = seed.environment AND there.key = seed.key
)
/
