package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// pool is a set of connections and the statements prepared on them. SQLite parses a statement anew each time unless it
// is prepared, and a statement cannot be prepared while a transaction holds the only connection: so a text that was met
// in one transaction is prepared before the next. The texts are constants of this package, so there are few of them.
type pool struct {
	db      *sql.DB
	prepare bool // false where the driver itself remembers statements

	mu     sync.Mutex // guards the fields below
	ready  map[string]*sql.Stmt
	wanted map[string]bool
}

func newPool(db *sql.DB, prepare bool) *pool {
	return &pool{db: db, prepare: prepare, ready: map[string]*sql.Stmt{}, wanted: map[string]bool{}}
}

// prepareWanted prepares the texts met since the last call.
func (p *pool) prepareWanted(ctx context.Context) error {
	for _, text := range p.takeWanted() {
		stmt, err := p.db.PrepareContext(ctx, text)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		p.keep(text, stmt)
	}
	return nil
}

func (p *pool) takeWanted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wanted) == 0 {
		return nil
	}
	texts := make([]string, 0, len(p.wanted))
	for text := range p.wanted {
		texts = append(texts, text)
	}
	clear(p.wanted)
	return texts
}

func (p *pool) keep(text string, stmt *sql.Stmt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.ready[text]; other != nil {
		_ = stmt.Close() // another goroutine was faster
		return
	}
	p.ready[text] = stmt
}

// statement returns the prepared statement of the text, or nil, and then has it prepared before the next transaction.
func (p *pool) statement(text string) *sql.Stmt {
	if !p.prepare {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt := p.ready[text]
	if stmt == nil {
		p.wanted[text] = true
	}
	return stmt
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, stmt := range p.ready {
		errs = append(errs, stmt.Close())
	}
	clear(p.ready)
	return errors.Join(append(errs, p.db.Close())...)
}
