-- +goose Up

-- Cards, access codes and PINs. lookup is an HMAC under a key that is not in the database, sealed is the value under another one.
CREATE TABLE credentials (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    kind       TEXT NOT NULL,
    origin     TEXT NOT NULL,
    source     TEXT NOT NULL,
    lookup     BLOB,
    sealed     BLOB,
    phc        TEXT NOT NULL,
    hint       TEXT NOT NULL,
    weak       TEXT NOT NULL,
    with_pin   INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    created_at INTEGER,
    ended_at   INTEGER,
    ended_why  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX credentials_in_force ON credentials (lookup, kind) WHERE ended_at IS NULL AND lookup IS NOT NULL;
CREATE INDEX credentials_lookup ON credentials (lookup, kind) WHERE lookup IS NOT NULL;
CREATE INDEX credentials_user ON credentials (user_id);
CREATE INDEX credentials_ended ON credentials (ended_at) WHERE ended_at IS NOT NULL;

-- Mail that waits to be sent, and for a while what became of it.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL,
    template   TEXT NOT NULL,
    language   TEXT NOT NULL,
    user_id    INTEGER NOT NULL,
    recipient  TEXT NOT NULL,
    secret     INTEGER NOT NULL,
    sealed     BLOB,
    state      TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    created_at INTEGER,
    next_at    INTEGER,
    changed_at INTEGER,
    problem    TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_user ON outbox (user_id);
CREATE INDEX outbox_state ON outbox (state);
