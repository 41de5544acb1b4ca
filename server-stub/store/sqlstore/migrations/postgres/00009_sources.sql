-- +goose Up

-- Directories that were added from the command line. Times are microseconds since 1970 in UTC.
CREATE TABLE directory_sources (
    id         TEXT COLLATE "C" PRIMARY KEY,
    config     TEXT NOT NULL,
    created_at BIGINT,
    changed_at BIGINT,
    changed_by TEXT NOT NULL
);

CREATE TABLE directory_source_secrets (
    source TEXT COLLATE "C" NOT NULL REFERENCES directory_sources (id),
    name   TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (source, name)
);
