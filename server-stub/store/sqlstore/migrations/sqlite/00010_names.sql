-- +goose Up

-- Whose names, or right to sign in, changed; the last change of each person only. New names have no row: their own ids tell of
-- them. There is one writer, so the order of the ids is that of the commits. (No INSERT OR REPLACE: an upsert that fires a trigger
-- takes its own way of settling conflicts into it.)
CREATE TABLE name_changes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL UNIQUE
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER login_names_changed AFTER UPDATE ON login_names
WHEN OLD.valid_to IS NOT NEW.valid_to OR OLD.name <> NEW.name OR OLD.folded <> NEW.folded OR OLD.kind <> NEW.kind
    OR OLD.domain <> NEW.domain OR OLD.source <> NEW.source
BEGIN
    DELETE FROM name_changes WHERE user_id = NEW.user_id;
    INSERT INTO name_changes (user_id) VALUES (NEW.user_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER login_names_deleted AFTER DELETE ON login_names
BEGIN
    DELETE FROM name_changes WHERE user_id = OLD.user_id;
    INSERT INTO name_changes (user_id) VALUES (OLD.user_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_changed AFTER UPDATE ON users
WHEN OLD.disabled <> NEW.disabled OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.erased_at IS NOT NEW.erased_at OR OLD.source <> NEW.source
BEGIN
    DELETE FROM name_changes WHERE user_id = NEW.id;
    INSERT INTO name_changes (user_id) VALUES (NEW.id);
END;
-- +goose StatementEnd
