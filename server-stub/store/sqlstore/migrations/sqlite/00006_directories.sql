-- +goose Up

-- What directories list beside people: what was seen of them, their groups, plans that wait, and how to take a run back. Times
-- are microseconds since 1970 in UTC.
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN keeps_username INTEGER NOT NULL DEFAULT 0 CHECK (keeps_username IN (0, 1));
CREATE INDEX users_living ON users (source, id) WHERE deleted_at IS NULL AND erased_at IS NULL;
ALTER TABLE sync_runs ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE sync_runs ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sync_runs ADD COLUMN undone_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_runs ADD COLUMN undoes INTEGER NOT NULL DEFAULT 0;

-- A fingerprint stands for "the person is as the directory lists them". Whatever changes the person takes it away (see the
-- triggers), so that the next run looks again.
CREATE TABLE directory_entries (
    source       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    immutable_id TEXT    NOT NULL,
    fingerprint  BLOB,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (source, kind, immutable_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX directory_entries_user ON directory_entries (user_id);

CREATE TABLE directory_groups (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    immutable_id TEXT    NOT NULL,
    sid          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    search       TEXT    NOT NULL, -- the folded name
    fingerprint  BLOB,
    deleted_at   INTEGER,
    UNIQUE (source, kind, immutable_id)
) STRICT;
CREATE INDEX directory_groups_search ON directory_groups (search);

-- Members are keys of the group's source, of people or groups, known here or not.
CREATE TABLE directory_edges (
    group_id    INTEGER NOT NULL REFERENCES directory_groups (id),
    member_kind TEXT    NOT NULL,
    member_id   TEXT    NOT NULL,
    PRIMARY KEY (group_id, member_kind, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX directory_edges_member ON directory_edges (member_kind, member_id);

CREATE TABLE directory_states (
    source       TEXT    PRIMARY KEY,
    bookmark     BLOB,
    last_attempt INTEGER,
    last_success INTEGER,
    last_full    INTEGER,
    failures     INTEGER NOT NULL,
    problem      TEXT    NOT NULL,
    told         TEXT    NOT NULL,
    paused_at    INTEGER,
    paused_why   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Plans are sealed, as they hold what the directory gave, cards and codes too.
CREATE TABLE directory_plans (
    id         TEXT    PRIMARY KEY,
    source     TEXT    NOT NULL,
    head       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE directory_plan_parts (
    plan_id TEXT    NOT NULL REFERENCES directory_plans (id),
    part    INTEGER NOT NULL,
    data    BLOB    NOT NULL,
    PRIMARY KEY (plan_id, part)
) STRICT;

-- How people were before a run changed them. Rows without a user name only ids: the people whom the run created.
CREATE TABLE directory_journal (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id  INTEGER NOT NULL REFERENCES sync_runs (id),
    user_id INTEGER REFERENCES users (id),
    at      INTEGER NOT NULL,
    data    BLOB    NOT NULL
) STRICT;
CREATE INDEX directory_journal_run ON directory_journal (run_id, id);
CREATE INDEX directory_journal_user ON directory_journal (user_id) WHERE user_id IS NOT NULL;

-- +goose StatementBegin
CREATE TRIGGER users_look_again AFTER UPDATE ON users
BEGIN UPDATE directory_entries SET fingerprint = NULL WHERE user_id = NEW.id AND fingerprint IS NOT NULL; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER login_names_look_again_update AFTER UPDATE ON login_names
BEGIN UPDATE directory_entries SET fingerprint = NULL WHERE user_id = NEW.user_id AND fingerprint IS NOT NULL; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER login_names_look_again_delete AFTER DELETE ON login_names
BEGIN UPDATE directory_entries SET fingerprint = NULL WHERE user_id = OLD.user_id AND fingerprint IS NOT NULL; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER external_identities_look_again AFTER DELETE ON external_identities
BEGIN UPDATE directory_entries SET fingerprint = NULL WHERE user_id = OLD.user_id AND fingerprint IS NOT NULL; END;
-- +goose StatementEnd
