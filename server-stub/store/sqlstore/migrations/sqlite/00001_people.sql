-- +goose Up

-- Times are microseconds since 1970 in UTC, NULL for none. AUTOINCREMENT: an id is never given twice.
CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    username     TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    department   TEXT    NOT NULL,
    office       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    overdraft    INTEGER NOT NULL CHECK (overdraft >= 0),
    disabled     INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    deleted_at   INTEGER,
    erased_at    INTEGER,
    created_at   INTEGER,
    updated_at   INTEGER,
    search       TEXT    NOT NULL -- folded username, display name and e-mail, for finding people by any case
) STRICT;
CREATE INDEX users_source ON users (source);

CREATE TABLE login_names (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    name       TEXT    NOT NULL,
    folded     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    domain     TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    valid_from INTEGER,
    valid_to   INTEGER,
    UNIQUE (user_id, folded, kind, domain)
) STRICT;
CREATE INDEX login_names_folded ON login_names (folded);

CREATE TABLE external_identities (
    source       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    immutable_id TEXT    NOT NULL,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (source, kind, immutable_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX external_identities_user ON external_identities (user_id);
CREATE INDEX external_identities_id ON external_identities (kind, immutable_id);

CREATE TABLE passwords (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    phc     TEXT    NOT NULL
) STRICT;

CREATE TABLE sessions (
    id               TEXT    PRIMARY KEY,
    user_id          INTEGER NOT NULL REFERENCES users (id),
    assurance        TEXT    NOT NULL,
    access_hash      BLOB,
    access_expires   INTEGER,
    refresh_hash     BLOB,
    previous_hash    BLOB,
    previous_expires INTEGER,
    refresh_expires  INTEGER,
    client           TEXT    NOT NULL,
    host             TEXT    NOT NULL,
    address          TEXT    NOT NULL,
    created_at       INTEGER,
    last_seen_at     INTEGER,
    revoked_at       INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_access ON sessions (access_hash);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE attempts (
    key        TEXT    PRIMARY KEY,
    count      INTEGER NOT NULL,
    first_at   INTEGER,
    last_at    INTEGER,
    blocked_to INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT    NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    outcome     TEXT    NOT NULL,
    read        INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    renamed     INTEGER NOT NULL,
    disabled    INTEGER NOT NULL,
    restored    INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL,
    message     TEXT    NOT NULL
) STRICT;
CREATE INDEX sync_runs_source ON sync_runs (source, id);

CREATE TABLE audit_events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    target TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
