package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// Two nodes over one database: their writers get in each other's way, and nothing is lost, doubled or overdrawn.
func TestTwoNodesShareOneLedger(t *testing.T) {
	s := storetest.OpenPostgres(t)
	nodes := []*fixture{start(t, s, ledger.Options{}), start(t, s, ledger.Options{})}
	user, thrifty := addUser(t, s, 0), addUser(t, s, 10)
	const rounds = 40
	var mu sync.Mutex
	spent := 0
	var wg sync.WaitGroup
	for _, node := range nodes {
		for client := range 4 {
			wg.Go(func() {
				for i := range rounds {
					// The same key on both nodes: booked once.
					node.mustPost(t, fmt.Sprint("same ", client, " ", i), core.TransferCredit, user, 1)
					_, err := node.Post(t.Context(), posting(fmt.Sprintf("%p %d %d", node, client, i), core.TransferCharge, thrifty, 1))
					switch {
					case err == nil:
						mu.Lock()
						spent++
						mu.Unlock()
					case !errors.Is(err, core.ErrInsufficient):
						t.Errorf("charge: %v", err)
					}
				}
			})
		}
	}
	wg.Wait()
	nodes[0].wantAccount(t, user, 4*rounds, 0)
	nodes[1].wantAccount(t, thrifty, -10, 0)
	if spent != 10 {
		t.Errorf("%d charges were accepted, want 10", spent)
	}
	wantSound(t, s)
}

func TestTheLedgerOnPostgres(t *testing.T) {
	s := storetest.OpenPostgres(t)
	f := start(t, s, ledger.Options{})
	populate(t, f)
	if r := wantSound(t, s); r.Transfers != 8 || r.Holds != 3 || r.Notes != 1 || r.Anchors != 1 {
		t.Errorf("report = %+v", r)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	storetest.Tamper(t, s, "ALTER TABLE entries DISABLE TRIGGER ALL", "UPDATE entries SET amount = 2000 WHERE seq = 5 AND line = 1")
	r, err := ledger.Verify(t.Context(), s, nil)
	if err != nil || r.FirstBad() != 5 {
		t.Errorf("Verify = %v, %v; want a finding at 5", r, err)
	}
	if n, err := f.EraseUserNotes(t.Context(), 1); n != 1 || err != nil {
		t.Errorf("EraseUserNotes = %d, %v; want 1", n, err)
	}
}
