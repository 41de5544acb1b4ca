-- +goose Up

CREATE TABLE devices (
    id           TEXT COLLATE "C" PRIMARY KEY,
    device_group TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'enrolled', 'revoked')),
    machine_id   TEXT NOT NULL,
    hardware_id  TEXT NOT NULL,
    key_hash     BYTEA,
    hostname     TEXT NOT NULL,
    platform     TEXT NOT NULL,
    version      TEXT NOT NULL,
    join_domain  TEXT NOT NULL,
    join_realm   TEXT NOT NULL,
    last_error   TEXT NOT NULL,
    address      TEXT NOT NULL,
    token_id     TEXT NOT NULL,
    created_at   BIGINT,
    enrolled_at  BIGINT,
    last_seen_at BIGINT,
    revoked_at   BIGINT
);
-- Two machines never share a key.
CREATE UNIQUE INDEX devices_key ON devices (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX devices_hardware ON devices (hardware_id) WHERE hardware_id <> '';

CREATE TABLE device_certificates (
    serial     TEXT COLLATE "C" PRIMARY KEY,
    device_id  TEXT COLLATE "C" NOT NULL REFERENCES devices (id),
    key_hash   BYTEA NOT NULL,
    issued_at  BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT,
    reason     TEXT NOT NULL
);
CREATE INDEX device_certificates_device ON device_certificates (device_id);
CREATE INDEX device_certificates_key ON device_certificates (key_hash);

CREATE TABLE device_users (
    device_id TEXT COLLATE "C" NOT NULL REFERENCES devices (id),
    user_id   BIGINT NOT NULL REFERENCES users (id),
    first_at  BIGINT,
    last_at   BIGINT,
    PRIMARY KEY (device_id, user_id)
);

CREATE TABLE enrolment_tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    secret_hash  BYTEA NOT NULL UNIQUE,
    device_group TEXT NOT NULL,
    networks     TEXT NOT NULL,
    campaign     BIGINT NOT NULL CHECK (campaign IN (0, 1)),
    uses         BIGINT NOT NULL CHECK (uses >= 0),
    used         BIGINT NOT NULL CHECK (campaign = 1 OR used <= uses),
    per_hour     BIGINT NOT NULL CHECK (per_hour >= 0),
    hour_from    BIGINT,
    hour_used    BIGINT NOT NULL,
    created_at   BIGINT,
    created_by   TEXT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT,
    description  TEXT NOT NULL
);

CREATE TABLE used_nonces (
    hash       BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE one_use_codes (
    hash       BYTEA PRIMARY KEY,
    challenge  TEXT NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    assurance  TEXT NOT NULL,
    provider   TEXT NOT NULL,
    device_id  TEXT COLLATE "C" NOT NULL,
    host       TEXT NOT NULL,
    facts      TEXT NOT NULL,
    stay       BIGINT NOT NULL CHECK (stay IN (0, 1)),
    created_at BIGINT,
    expires_at BIGINT NOT NULL
);

-- The device that vouched for the person, '' when they proved who they are.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_device ON sessions (device) WHERE device <> '';
