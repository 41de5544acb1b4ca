-- +goose Up

CREATE TABLE devices (
    id           TEXT    PRIMARY KEY,
    device_group TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'enrolled', 'revoked')),
    machine_id   TEXT    NOT NULL,
    hardware_id  TEXT    NOT NULL,
    key_hash     BLOB,
    hostname     TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    join_domain  TEXT    NOT NULL,
    join_realm   TEXT    NOT NULL,
    last_error   TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    token_id     TEXT    NOT NULL,
    created_at   INTEGER,
    enrolled_at  INTEGER,
    last_seen_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
-- Two machines never share a key.
CREATE UNIQUE INDEX devices_key ON devices (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX devices_hardware ON devices (hardware_id) WHERE hardware_id <> '';

CREATE TABLE device_certificates (
    serial     TEXT    PRIMARY KEY,
    device_id  TEXT    NOT NULL REFERENCES devices (id),
    key_hash   BLOB    NOT NULL,
    issued_at  INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER,
    reason     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX device_certificates_device ON device_certificates (device_id);
CREATE INDEX device_certificates_key ON device_certificates (key_hash);

CREATE TABLE device_users (
    device_id TEXT    NOT NULL REFERENCES devices (id),
    user_id   INTEGER NOT NULL REFERENCES users (id),
    first_at  INTEGER,
    last_at   INTEGER,
    PRIMARY KEY (device_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment_tokens (
    id           TEXT    PRIMARY KEY,
    secret_hash  BLOB    NOT NULL UNIQUE,
    device_group TEXT    NOT NULL,
    networks     TEXT    NOT NULL,
    campaign     INTEGER NOT NULL CHECK (campaign IN (0, 1)),
    uses         INTEGER NOT NULL CHECK (uses >= 0),
    used         INTEGER NOT NULL CHECK (campaign = 1 OR used <= uses),
    per_hour     INTEGER NOT NULL CHECK (per_hour >= 0),
    hour_from    INTEGER,
    hour_used    INTEGER NOT NULL,
    created_at   INTEGER,
    created_by   TEXT    NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    description  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE used_nonces (
    hash       BLOB    PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE one_use_codes (
    hash       BLOB    PRIMARY KEY,
    challenge  TEXT    NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    assurance  TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    host       TEXT    NOT NULL,
    facts      TEXT    NOT NULL,
    stay       INTEGER NOT NULL CHECK (stay IN (0, 1)),
    created_at INTEGER,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The device that vouched for the person, '' when they proved who they are.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_device ON sessions (device) WHERE device <> '';
