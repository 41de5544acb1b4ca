-- +goose Up

-- Pages: sessions in browsers, roles, passkeys, and what a browser has begun. Times are microseconds since 1970 in UTC.
ALTER TABLE sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'client';
ALTER TABLE sessions ADD COLUMN proven_at BIGINT;

CREATE TABLE role_grants (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    role       TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at BIGINT,
    PRIMARY KEY (user_id, role)
);

CREATE TABLE passkeys (
    id           TEXT PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    handle       BYTEA NOT NULL,
    name         TEXT NOT NULL,
    credential   TEXT NOT NULL,
    created_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);
CREATE INDEX passkeys_handle ON passkeys (handle);

CREATE TABLE web_flows (
    hash       BYTEA PRIMARY KEY,
    browser    BYTEA,
    kind       TEXT NOT NULL,
    data       TEXT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX web_flows_expires ON web_flows (expires_at);
