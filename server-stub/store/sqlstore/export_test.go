package sqlstore

import "database/sql"

// WriteDB and ReadDB give tests the connections.
func WriteDB(s *Store) *sql.DB { return s.write.db }
func ReadDB(s *Store) *sql.DB  { return s.read.db }
