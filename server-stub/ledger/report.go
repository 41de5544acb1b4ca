package ledger

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
)

// maxFindings is how many findings a report lists; Report.More counts the rest.
const maxFindings = 100

// Report is what Verify saw.
type Report struct {
	Head      core.LedgerHead
	Transfers int64
	Accounts  int64
	Holds     int64
	Notes     int64 // texts that are still there
	Anchors   int   // anchors of the audit log that were compared
	Findings  []Finding
	More      int // findings beyond those listed
}

// Finding is one thing that is wrong.
type Finding struct {
	Invariant string         // "I1" ... "I10"
	Seq       int64          // the transfer, 0 if it is about none
	Account   core.AccountID // 0 if it is about none
	Hold      int64          // 0 if it is about none
	What      string
}

// String says where and what.
func (f Finding) String() string {
	var where []string
	if f.Seq != 0 {
		where = append(where, fmt.Sprintf("transfer %d", f.Seq))
	}
	if f.Account != 0 {
		where = append(where, fmt.Sprintf("account %d", f.Account))
	}
	if f.Hold != 0 {
		where = append(where, fmt.Sprintf("hold %d", f.Hold))
	}
	if where == nil {
		where = []string{"the ledger"}
	}
	return fmt.Sprintf("%s, %s: %s", f.Invariant, strings.Join(where, ", "), f.What)
}

// OK tells whether nothing is wrong.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// FirstBad returns the first transfer something is wrong with, 0 for none.
func (r Report) FirstBad() int64 {
	first := int64(0)
	for _, f := range r.Findings {
		if f.Seq != 0 && (first == 0 || f.Seq < first) {
			first = f.Seq
		}
	}
	return first
}

// String is the report in one sentence, with the first finding.
func (r Report) String() string {
	if r.OK() {
		return fmt.Sprintf("the ledger is sound: %d transfers, %d accounts, %d holds, %d anchors, head %x",
			r.Transfers, r.Accounts, r.Holds, r.Anchors, r.Head.Hash[:8])
	}
	return fmt.Sprintf("the ledger is NOT sound: %d findings, the first: %s", len(r.Findings)+r.More, r.Findings[0])
}

func (r *Report) add(f Finding) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}
