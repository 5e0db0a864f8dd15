-- Prices and system configuration in Oracle, as the functions read them. Every statement may run again: ORA-00955 says that
-- the table is there. Each statement ends with a line that is a slash, for SQL*Plus and for the tests alike.
BEGIN
    EXECUTE IMMEDIATE '
        CREATE TABLE product_prices (
            product_id VARCHAR2(64 CHAR) NOT NULL PRIMARY KEY,
            price NUMBER(19, 6) NOT NULL CHECK (price >= 0),
            currency VARCHAR2(3 CHAR) NOT NULL
        )';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -955 THEN
            RAISE;
        END IF;
END;
/
BEGIN
    EXECUTE IMMEDIATE '
        CREATE TABLE system_configuration (
            environment VARCHAR2(32 CHAR) NOT NULL,
            key VARCHAR2(128 CHAR) NOT NULL,
            value VARCHAR2(4000 BYTE) NOT NULL,
            PRIMARY KEY (environment, key)
        )';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -955 THEN
            RAISE;
        END IF;
END;
/
