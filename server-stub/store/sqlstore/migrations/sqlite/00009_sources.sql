-- +goose Up

-- Directories that were added from the command line. Times are microseconds since 1970 in UTC.
CREATE TABLE directory_sources (
    id         TEXT PRIMARY KEY,
    config     TEXT NOT NULL,
    created_at INTEGER,
    changed_at INTEGER,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE directory_source_secrets (
    source TEXT NOT NULL REFERENCES directory_sources (id),
    name   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;
