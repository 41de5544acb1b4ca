BEGIN TRANSACTION;
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
INSERT INTO "accounts" VALUES(1,'user',1,'EUR',3,4,-100,8);
INSERT INTO "accounts" VALUES(2,'funding',NULL,'EUR',-5,0,0,5);
INSERT INTO "accounts" VALUES(3,'usage',NULL,'EUR',2,0,0,1);
CREATE TABLE attempts (
    key        TEXT    PRIMARY KEY,
    count      INTEGER NOT NULL,
    first_at   INTEGER,
    last_at    INTEGER,
    blocked_to INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES('k',1,NULL,NULL,NULL);
CREATE TABLE audit_events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    target TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;
INSERT INTO "audit_events" VALUES(1,NULL,'admin','user.add','','');
INSERT INTO "audit_events" VALUES(2,1795248000000000,'sync:corp','user.create','user:2','');
INSERT INTO "audit_events" VALUES(3,1795248000000000,'sync:corp','user.disable','user:2','');
INSERT INTO "audit_events" VALUES(4,1795248000000000,'sync:corp','user.create','user:3','');
INSERT INTO "audit_events" VALUES(5,1795248000000000,'admin','user.disable','user:3','');
INSERT INTO "audit_events" VALUES(6,1795248000000000,'sync:corp','user.disable','user:4','');
INSERT INTO "audit_events" VALUES(7,1795248000000000,'admin','user.enable','user:4','');
INSERT INTO "audit_events" VALUES(8,1795248000000000,'admin','user.disable','user:4','');
INSERT INTO "audit_events" VALUES(9,1795248000000000,'sync:corp','user.disable','user:5','');
INSERT INTO "audit_events" VALUES(10,1795248000000000,'sync:corp','user.enable','user:5','');
INSERT INTO "audit_events" VALUES(11,1795248000000000,'sync:corp','user.disable','user:6','');
INSERT INTO "audit_events" VALUES(12,1795248000000000,'admin','user.enable','user:6','');
INSERT INTO "audit_events" VALUES(13,1795248000000000,'sync:corp','user.create','user:7','');
INSERT INTO "audit_events" VALUES(14,1795248000000000,'admin','user.disable','user:8','');
INSERT INTO "audit_events" VALUES(15,1795248000000000,'admin','user.enable','user:8','');
INSERT INTO "audit_events" VALUES(16,1795248000000000,'sync:corp','user.disable','user:8','');
CREATE TABLE entries (
    seq        INTEGER NOT NULL REFERENCES transfers (seq),
    line       INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    balance    INTEGER NOT NULL,
    floor      INTEGER NOT NULL,
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;
INSERT INTO "entries" VALUES(1,1,1,1,1,0);
INSERT INTO "entries" VALUES(1,2,2,-1,-1,0);
INSERT INTO "entries" VALUES(2,1,1,1,2,0);
INSERT INTO "entries" VALUES(2,2,2,-1,-2,0);
INSERT INTO "entries" VALUES(3,1,1,1,3,0);
INSERT INTO "entries" VALUES(3,2,2,-1,-3,0);
INSERT INTO "entries" VALUES(4,1,1,1,4,0);
INSERT INTO "entries" VALUES(4,2,2,-1,-4,0);
INSERT INTO "entries" VALUES(5,1,1,1,5,0);
INSERT INTO "entries" VALUES(5,2,2,-1,-5,0);
INSERT INTO "entries" VALUES(6,1,1,-2,3,-100);
INSERT INTO "entries" VALUES(6,2,3,2,2,0);
CREATE TABLE external_identities (
    source       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    immutable_id TEXT    NOT NULL,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (source, kind, immutable_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "external_identities" VALUES('ad','sid','S-1',1);
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-22 00:57:13');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-22 00:57:13');
INSERT INTO "goose_db_version" VALUES(3,2,1,'2026-11-22 00:57:13');
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
INSERT INTO "holds" VALUES(1,'h',X'9664BD9C8F8D845116851F143BB93E8225D8C39B1A4CA0A54A8896077697B268',1,3,'posted',1795248000000000,1795251600000000,1795248000000000,6);
INSERT INTO "holds" VALUES(2,'h2',X'7B497BE1E23CBA1008CFDFF91AEDA510A97467FA5442228E582C1F1605E3492E',1,4,'pending',1795248000000000,1795251600000000,NULL,0);
CREATE TABLE ledger_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB
) STRICT;
INSERT INTO "ledger_head" VALUES(1,6,X'8CB56DE1E8F8402BB75AA1645099F5BEE458A46DF1A332F8DB1B10FC381F0BC8');
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
INSERT INTO "login_names" VALUES(1,1,'alex','alex','upn','','',1795248000000000,NULL);
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('dirsync/disabled/2','corp');
INSERT INTO "meta" VALUES('dirsync/disabled/4','corp');
INSERT INTO "meta" VALUES('dirsync/disabled/5','');
INSERT INTO "meta" VALUES('dirsync/disabled/6','corp');
INSERT INTO "meta" VALUES('dirsync/disabled/7','corp');
INSERT INTO "meta" VALUES('dirsync/disabled/8','corp');
INSERT INTO "meta" VALUES('empty','');
CREATE TABLE passwords (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    phc     TEXT    NOT NULL
) STRICT;
INSERT INTO "passwords" VALUES(1,'$argon2id$');
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
INSERT INTO "sessions" VALUES('s',1,'',X'FF00000000000000000000000000000000000000000000000000000000000000',NULL,NULL,NULL,NULL,NULL,'','','',1795248000000000,NULL,NULL);
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
INSERT INTO "sync_runs" VALUES(1,'ad',NULL,NULL,'',0,0,0,0,0,0,0,'');
CREATE TABLE transfer_notes (
    seq  INTEGER PRIMARY KEY REFERENCES transfers (seq),
    salt BLOB    NOT NULL,
    text TEXT    NOT NULL
) STRICT;
INSERT INTO "transfer_notes" VALUES(1,X'B46C632BEF0492BFA271B4DA27D26314','ü   <&>');
INSERT INTO "transfer_notes" VALUES(2,X'D04612CC0C8DB9894010566791CABCF5','ü   <&>');
INSERT INTO "transfer_notes" VALUES(3,X'1DA7B15F340FC8911DE6E19FA03A586B','ü   <&>');
INSERT INTO "transfer_notes" VALUES(4,X'88E3B1DAF93E0D76FD654EEC82704D2B','ü   <&>');
INSERT INTO "transfer_notes" VALUES(5,X'3DAC6C8EB03F817EA9A8D25014CEE576','ü   <&>');
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
INSERT INTO "transfers" VALUES(1,'key0',X'5CDCCA764561292A80A67577F0E08D4A39F61DD11B67F0239FE577740240CDE9','credit',1795248000000000,'admin','',NULL,'EUR',X'C0ED544E0760818E728C3A7FEEC0B2C2A8F49C438256208E42C0E0F8B32F2F35',NULL,X'3F0144E68CCC23EF1C2C22A41DB9DED2D464E23F2EFEC243C85AAE628DD204C6');
INSERT INTO "transfers" VALUES(2,'key1',X'5CDCCA764561292A80A67577F0E08D4A39F61DD11B67F0239FE577740240CDE9','credit',1795248000000000,'admin','',NULL,'EUR',X'22F96DAF7B57EDECD2896BA5C2B7FA13731ED15C56163770D656B183F88B370E',X'3F0144E68CCC23EF1C2C22A41DB9DED2D464E23F2EFEC243C85AAE628DD204C6',X'71B0BCD266764702CA590029C8B303E27EA092DCDE1C3A6BEB30E2167E4FFF07');
INSERT INTO "transfers" VALUES(3,'key2',X'5CDCCA764561292A80A67577F0E08D4A39F61DD11B67F0239FE577740240CDE9','credit',1795248000000000,'admin','',NULL,'EUR',X'09AC4CE40C92F4E5DBA1785F2420FFE4FCBA7A349CBD115CAF60DD4E33DD6388',X'71B0BCD266764702CA590029C8B303E27EA092DCDE1C3A6BEB30E2167E4FFF07',X'CBA7F0D17E98AA183C04861B19C00FA62E6008ACCDAA977C78A7E0435F46A940');
INSERT INTO "transfers" VALUES(4,'key3',X'5CDCCA764561292A80A67577F0E08D4A39F61DD11B67F0239FE577740240CDE9','credit',1795248000000000,'admin','',NULL,'EUR',X'7DE4E6838F3813EA3521BED412F6A9848619EC2325BD92CD704C238697948D29',X'CBA7F0D17E98AA183C04861B19C00FA62E6008ACCDAA977C78A7E0435F46A940',X'3744D1CAA197D1D1CDDA42F74D759D20C38B5E65E1E765E6B5A6A23012E7D51E');
INSERT INTO "transfers" VALUES(5,'key4',X'5CDCCA764561292A80A67577F0E08D4A39F61DD11B67F0239FE577740240CDE9','credit',1795248000000000,'admin','',NULL,'EUR',X'06F617F7E1419EA562D559C28E0FF827407FA119C3160238166AD40AF73E8D27',X'3744D1CAA197D1D1CDDA42F74D759D20C38B5E65E1E765E6B5A6A23012E7D51E',X'0FFA415FE82BAFD852966BEF359F1CB7594304A9D8555CF8CF0B84DE42B861F9');
INSERT INTO "transfers" VALUES(6,'p',X'7DAD19ACBF4A3B55BF3F02DF1208DD9EEC6817E7B8F0F19F4E01914E979D3CAC','charge',1795248000000000,'system','',1,'EUR',NULL,X'0FFA415FE82BAFD852966BEF359F1CB7594304A9D8555CF8CF0B84DE42B861F9',X'8CB56DE1E8F8402BB75AA1645099F5BEE458A46DF1A332F8DB1B10FC381F0BC8');
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
INSERT INTO "users" VALUES(1,'alex','Ä "quoted"
line','','','','',100,0,NULL,NULL,1795248000000000,NULL,'alex
ä "quoted"
line
');
INSERT INTO "users" VALUES(2,'by-source','','','','','corp',0,1,NULL,NULL,1795248000000000,1795248000000000,'by-source

');
INSERT INTO "users" VALUES(3,'by-admin','','','','','corp',0,1,NULL,NULL,1795248000000000,1795248000000000,'by-admin

');
INSERT INTO "users" VALUES(4,'by-source-then-admin','','','','','corp',0,1,NULL,NULL,1795248000000000,1795248000000000,'by-source-then-admin

');
INSERT INTO "users" VALUES(5,'enabled','','','','','corp',0,0,NULL,NULL,1795248000000000,1795248000000000,'enabled

');
INSERT INTO "users" VALUES(6,'enabled-by-admin','','','','','corp',0,0,NULL,NULL,1795248000000000,1795248000000000,'enabled-by-admin

');
INSERT INTO "users" VALUES(7,'created-disabled','','','','','corp',0,1,NULL,NULL,1795248000000000,1795248000000000,'created-disabled

');
INSERT INTO "users" VALUES(8,'by-admin-then-source','','','','','corp',0,1,NULL,NULL,1795248000000000,1795248000000000,'by-admin-then-source

');
CREATE INDEX users_source ON users (source);
CREATE INDEX login_names_folded ON login_names (folded);
CREATE INDEX external_identities_user ON external_identities (user_id);
CREATE INDEX external_identities_id ON external_identities (kind, immutable_id);
CREATE UNIQUE INDEX sessions_access ON sessions (access_hash);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sync_runs_source ON sync_runs (source, id);
CREATE UNIQUE INDEX accounts_user ON accounts (user_id, currency) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX accounts_own ON accounts (kind, currency) WHERE user_id IS NULL;
CREATE INDEX holds_account ON holds (account_id) WHERE state = 'pending';
CREATE INDEX holds_expiry ON holds (expires_at) WHERE state = 'pending';
CREATE UNIQUE INDEX entries_account ON entries (account_id, seq);
CREATE TRIGGER transfers_keep_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'a booked transfer is never changed'); END;
CREATE TRIGGER transfers_keep_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'a booked transfer is never deleted'); END;
CREATE TRIGGER entries_keep_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'a booked entry is never changed'); END;
CREATE TRIGGER entries_keep_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'a booked entry is never deleted'); END;
CREATE TRIGGER accounts_keep_update BEFORE UPDATE OF id, kind, user_id, currency ON accounts
BEGIN SELECT RAISE(ABORT, 'an account never changes hands'); END;
CREATE TRIGGER accounts_keep_delete BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'an account is never deleted'); END;
CREATE TRIGGER holds_keep_update BEFORE UPDATE ON holds
WHEN OLD.state <> 'pending' OR NEW.state = 'pending' OR OLD.id <> NEW.id OR OLD.idempotency_key <> NEW.idempotency_key
  OR OLD.body_digest <> NEW.body_digest OR OLD.account_id <> NEW.account_id OR OLD.amount <> NEW.amount
  OR OLD.created_at <> NEW.created_at OR OLD.expires_at <> NEW.expires_at
BEGIN SELECT RAISE(ABORT, 'a hold is only settled, and once'); END;
CREATE TRIGGER holds_keep_delete BEFORE DELETE ON holds
BEGIN SELECT RAISE(ABORT, 'a hold is never deleted'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',3);
INSERT INTO "sqlite_sequence" VALUES('users',8);
INSERT INTO "sqlite_sequence" VALUES('login_names',1);
INSERT INTO "sqlite_sequence" VALUES('audit_events',16);
INSERT INTO "sqlite_sequence" VALUES('sync_runs',1);
INSERT INTO "sqlite_sequence" VALUES('accounts',3);
INSERT INTO "sqlite_sequence" VALUES('holds',2);
COMMIT;
