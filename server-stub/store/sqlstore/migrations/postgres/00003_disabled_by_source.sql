-- +goose Up

-- 1 when the directory disabled the account, which may then enable it again; 0 when an administrator did, whom no directory
-- overrules. Until now a row of meta said so, which stayed when an administrator enabled such an account or disabled it once
-- more: there the audit log knows who disabled it last.
ALTER TABLE users ADD COLUMN disabled_by_source BIGINT NOT NULL DEFAULT 0 CHECK (disabled_by_source IN (0, disabled));
UPDATE users SET disabled_by_source = 1
WHERE disabled = 1
    AND EXISTS (SELECT 1 FROM meta WHERE key = 'dirsync/disabled/' || users.id AND value <> '')
    AND 'user:' || users.id NOT IN (
        SELECT e.target FROM audit_events e
        JOIN (SELECT MAX(id) AS id FROM audit_events WHERE action = 'user.disable' GROUP BY target) last ON last.id = e.id
        WHERE e.actor NOT LIKE 'sync:%'
    );
DELETE FROM meta WHERE key LIKE 'dirsync/disabled/%';
