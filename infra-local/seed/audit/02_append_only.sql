-- What makes the audit table append-only.
CREATE TRIGGER IF NOT EXISTS Audit_Logs_Local_no_update BEFORE UPDATE ON Audit_Logs_Local
BEGIN
    SELECT RAISE(ABORT, 'the audit table is append-only: an item cannot be changed');
END;

CREATE TRIGGER IF NOT EXISTS Audit_Logs_Local_no_delete BEFORE DELETE ON Audit_Logs_Local
BEGIN
    SELECT RAISE(ABORT, 'the audit table is append-only: an item cannot be deleted');
END;

-- INSERT OR REPLACE deletes the old row without firing the trigger above.
CREATE TRIGGER IF NOT EXISTS Audit_Logs_Local_no_replace BEFORE INSERT ON Audit_Logs_Local
WHEN EXISTS (SELECT 1 FROM Audit_Logs_Local WHERE pk = NEW.pk AND sk = NEW.sk)
BEGIN
    SELECT RAISE(ABORT, 'the audit table is append-only: an item cannot be replaced');
END;
