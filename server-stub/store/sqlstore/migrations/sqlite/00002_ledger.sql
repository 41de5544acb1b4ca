-- +goose Up

CREATE TABLE accounts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL CHECK (kind IN ('user', 'funding', 'usage')),
    user_id  INTEGER REFERENCES users (id),
    currency TEXT    NOT NULL,
    balance  INTEGER NOT NULL,
    held     INTEGER NOT NULL CHECK (held >= 0),
    floor    INTEGER NOT NULL CHECK (floor <= 0),
    version  INTEGER NOT NULL,
    CHECK ((kind = 'user') = (user_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX accounts_user ON accounts (user_id, currency) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX accounts_own ON accounts (kind, currency) WHERE user_id IS NULL;

CREATE TABLE holds (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key TEXT    NOT NULL UNIQUE,
    body_digest     BLOB    NOT NULL,
    account_id      INTEGER NOT NULL REFERENCES accounts (id),
    amount          INTEGER NOT NULL CHECK (amount > 0),
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'posted', 'voided')),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    settled_at      INTEGER,
    seq             INTEGER NOT NULL CHECK ((seq > 0) = (state = 'posted'))
) STRICT;
CREATE INDEX holds_account ON holds (account_id) WHERE state = 'pending';
CREATE INDEX holds_expiry ON holds (expires_at) WHERE state = 'pending';

CREATE TABLE transfers (
    seq             INTEGER PRIMARY KEY CHECK (seq > 0),
    idempotency_key TEXT    NOT NULL UNIQUE,
    body_digest     BLOB    NOT NULL,
    kind            TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    assurance       TEXT    NOT NULL,
    hold_id         INTEGER UNIQUE REFERENCES holds (id), -- a hold is posted once (I8)
    currency        TEXT    NOT NULL,
    note_digest     BLOB,
    prev_hash       BLOB, -- NULL for the first
    hash            BLOB    NOT NULL
) STRICT;

CREATE TABLE entries (
    seq        INTEGER NOT NULL REFERENCES transfers (seq),
    line       INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    balance    INTEGER NOT NULL,
    floor      INTEGER NOT NULL,
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_account ON entries (account_id, seq);

-- Texts sit outside the chain, so that erasing a person leaves it valid.
CREATE TABLE transfer_notes (
    seq  INTEGER PRIMARY KEY REFERENCES transfers (seq),
    salt BLOB    NOT NULL,
    text TEXT    NOT NULL
) STRICT;

CREATE TABLE ledger_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB
) STRICT;
INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, NULL);

-- I6: what is booked is neither changed nor deleted.
-- +goose StatementBegin
CREATE TRIGGER transfers_keep_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'a booked transfer is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transfers_keep_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'a booked transfer is never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_keep_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'a booked entry is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_keep_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'a booked entry is never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_keep_update BEFORE UPDATE OF id, kind, user_id, currency ON accounts
BEGIN SELECT RAISE(ABORT, 'an account never changes hands'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_keep_delete BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'an account is never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER holds_keep_update BEFORE UPDATE ON holds
WHEN OLD.state <> 'pending' OR NEW.state = 'pending' OR OLD.id <> NEW.id OR OLD.idempotency_key <> NEW.idempotency_key
  OR OLD.body_digest <> NEW.body_digest OR OLD.account_id <> NEW.account_id OR OLD.amount <> NEW.amount
  OR OLD.created_at <> NEW.created_at OR OLD.expires_at <> NEW.expires_at
BEGIN SELECT RAISE(ABORT, 'a hold is only settled, and once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER holds_keep_delete BEFORE DELETE ON holds
BEGIN SELECT RAISE(ABORT, 'a hold is never deleted'); END;
-- +goose StatementEnd
