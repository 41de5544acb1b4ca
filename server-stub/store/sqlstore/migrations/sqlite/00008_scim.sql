-- +goose Up

-- What identity providers write over SCIM. Times are microseconds since 1970 in UTC.
CREATE TABLE scim_tokens (
    id           TEXT PRIMARY KEY,
    source       TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,
    networks     TEXT NOT NULL,
    created_at   INTEGER,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_tokens_source ON scim_tokens (source);

CREATE TABLE scim_resources (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    source       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    folded       TEXT NOT NULL,
    external_id  TEXT NOT NULL,
    external_was TEXT NOT NULL,
    user_id      INTEGER REFERENCES users (id),
    data         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER,
    modified_at  INTEGER,
    deleted_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX scim_resources_people ON scim_resources (source, folded) WHERE kind = 'User' AND deleted_at IS NULL;
CREATE INDEX scim_resources_listed ON scim_resources (source, kind, id) WHERE deleted_at IS NULL;
CREATE INDEX scim_resources_user ON scim_resources (user_id);

CREATE TABLE scim_values (
    resource TEXT NOT NULL REFERENCES scim_resources (key) ON DELETE CASCADE,
    path     TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, path, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_values_value ON scim_values (path, value);

CREATE TABLE scim_members (
    group_id TEXT NOT NULL REFERENCES scim_resources (key) ON DELETE CASCADE,
    member   TEXT NOT NULL REFERENCES scim_resources (key) ON DELETE CASCADE,
    PRIMARY KEY (group_id, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_members_member ON scim_members (member);

CREATE TABLE scim_log (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER,
    source     TEXT NOT NULL,
    token      TEXT NOT NULL,
    operation  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    resource   TEXT NOT NULL,
    name       TEXT NOT NULL,
    user_id    INTEGER REFERENCES users (id),
    status     INTEGER NOT NULL,
    result     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX scim_log_source ON scim_log (source, id);
CREATE INDEX scim_log_at ON scim_log (at);
CREATE INDEX scim_log_user ON scim_log (user_id);

CREATE TABLE scim_connections (
    source       TEXT PRIMARY KEY,
    last_seen_at INTEGER,
    warning      TEXT NOT NULL,
    warned_at    INTEGER
) STRICT, WITHOUT ROWID;
