package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// history is one directory through renames, moves, deletes, returns, faults, other scopes and undone runs.
type history struct {
	*site

	rt       *rapid.T
	src      *tree
	w        *wallet
	settings Settings
	ids      map[string]core.UserID // id in the directory -> user, for good
	worth    map[core.UserID]core.Amount
	fresh    int
	clean    bool // no run had a conflict
}

// TestR_SYNC_2_AnyHistoryKeepsBalanceCardsAndIDs is the promise of the whole package.
func TestR_SYNC_2_AnyHistoryKeepsBalanceCardsAndIDs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{site: newSite(t), rt: rt, w: newWallet(), ids: map[string]core.UserID{}, worth: map[core.UserID]core.Amount{}, clean: true}
		h.cred = h.w
		h.use(h.store)
		h.src = newTree("corp")
		h.src.prints = rapid.Bool().Draw(rt, "prints")
		h.put("keeper", "keeper")
		h.src.group("g0", "all", "keeper", "g1")
		h.src.group("g1", "inner", "id-0", "id-1", "g0")
		for range rapid.IntRange(2, 7).Draw(rt, "runs") {
			for range rapid.IntRange(0, 5).Draw(rt, "edits") {
				h.change()
			}
			h.now = h.now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 30, 200}).Draw(rt, "days")) * 24 * time.Hour)
			h.step()
		}
	})
}

// put lists somebody with a card of their own.
func (h *history) put(id, name string) {
	r := person(id, name)
	r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets("card-of-"+id)
	r.Where = "CN=" + id
	h.src.put(r)
}

func (h *history) change() {
	name := func() string {
		if rapid.Bool().Draw(h.rt, "fresh") {
			h.fresh++
			return fmt.Sprintf("fresh%d", h.fresh)
		}
		return rapid.SampledFrom([]string{"alex", "kim", "ALEX"}).Draw(h.rt, "name")
	}
	id := fmt.Sprintf("id-%d", rapid.IntRange(0, 5).Draw(h.rt, "id"))
	if _, ok := h.src.people[id]; !ok {
		h.put(id, name())
		return
	}
	switch rapid.SampledFrom([]string{"remove", "rename", "move", "disable", "group", "group", "scope", "forget", "repeat"}).Draw(h.rt, "change") {
	case "remove":
		h.src.remove(id)
	case "rename":
		h.put(id, name())
	case "move":
		h.fresh++
		h.src.edit(id, func(r *directory.Record) { r.Department = fmt.Sprint("department ", h.fresh) })
	case "disable":
		h.src.edit(id, func(r *directory.Record) { r.Disabled = !r.Disabled })
	case "group":
		members := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"id-0", "id-1", "id-2", "id-3", "g0"}), rapid.ID[string]).Draw(h.rt, "members")
		h.src.group("g1", "inner", members...)
	case "scope":
		h.settings.Scope = Scope{}
		if rapid.Bool().Draw(h.rt, "scoped") {
			h.settings.Scope = Scope{Groups: []string{"all"}, Direct: rapid.Bool().Draw(h.rt, "direct")}
		}
	case "forget":
		h.src.oldest = len(h.src.log)
	case "repeat":
		h.src.replays = !h.src.replays
	}
}

// step runs once, perhaps with a fault or an undo, and holds what must be true.
func (h *history) step() {
	before, cards := h.picture(), fmt.Sprint(h.w.cards)
	if rapid.IntRange(0, 4).Draw(h.rt, "fault") == 0 {
		h.src.fault = errors.New("the line broke")
		if run, err := h.run(h.src, h.settings); err == nil || run.Outcome != OutcomeFailed {
			h.rt.Fatalf("a fault in the middle: %+v, %v", run, err)
		}
		h.src.fault = nil
		h.same("a fault changed somebody", before, cards)
	}
	h.now = h.now.Add(time.Minute)
	run, err := h.sync.sync(h.rt.Context(), h.src, h.settings, "random edits")
	if err != nil {
		h.rt.Fatal(err)
	}
	h.clean = h.clean && run.Conflicts == 0
	h.hold(run)
	after, cardsAfter := h.picture(), fmt.Sprint(h.w.cards)
	if rapid.IntRange(0, 2).Draw(h.rt, "undo") == 0 {
		undone := h.undo(run.ID)
		h.sameButMade(undone.Message, before, run)
		if rapid.Bool().Draw(h.rt, "and undo that") {
			h.undo(undone.ID)
			if diff := cmp.Diff(after, h.picture()); diff != "" {
				h.rt.Fatalf("the undo was undone: -want +got\n%s", diff)
			}
		}
		h.now = h.now.Add(time.Minute)
		if run, err = h.sync.sync(h.rt.Context(), h.src, h.settings, "again"); err != nil {
			h.rt.Fatal(err)
		}
		h.hold(run)
		if h.clean = h.clean && run.Conflicts == 0; h.clean {
			h.same("the same run again, after it was undone", after, cardsAfter)
		}
	}
	if h.clean {
		full := h.settings
		full.Full = true
		if run := h.mustRun(h.src, full); run.Created+run.Updated+run.Renamed+run.Disabled+run.Restored+run.Conflicts != 0 {
			h.rt.Fatalf("comparing everything finds something: %+v", run)
		}
	}
}

func (h *history) same(what string, picture map[core.UserID]string, cards string) {
	if diff := cmp.Diff(picture, h.picture()); diff != "" {
		h.rt.Fatalf("%s: -before +after\n%s", what, diff)
	}
	if got := fmt.Sprint(h.w.cards); got != cards {
		h.rt.Fatalf("%s: cards %s, were %s", what, got, cards)
	}
}

// sameButMade is same for an undone run: the people whom it made are soft-deleted, and the message tells who keeps what changed since.
func (h *history) sameButMade(message string, picture map[core.UserID]string, run core.SyncRun) {
	const what = "undone"
	made := 0
	for id, text := range h.picture() {
		switch was, known := picture[id]; {
		case !known:
			if made++; !strings.Contains(text, "deleted=true") {
				h.rt.Fatalf("%s: user %d was made and is still there: %s", what, id, text)
			}
		case text != was && !strings.Contains(message, fmt.Sprintf("user %d keeps ", id)):
			h.rt.Fatalf("%s: user %d is\n%s\nwas\n%s", what, id, text, was)
		}
	}
	if made != run.Created {
		h.rt.Fatalf("%s: %d people were made, want %d", what, made, run.Created)
	}
}

// hold checks what must be true after any good run.
func (h *history) hold(run core.SyncRun) {
	all := map[core.UserID]core.User{}
	owners := map[string]core.UserID{}
	h.view(func(ctx context.Context, tx store.Tx) {
		list, err := tx.ListUsers(ctx, store.UserFilter{IncludeDeleted: true})
		if err != nil {
			h.rt.Fatal(err)
		}
		for _, u := range list {
			all[u.ID] = u
		}
		if err := tx.SourceIdentities(ctx, "corp", func(e core.ExternalIdentity) { owners[e.ImmutableID] = e.UserID }); err != nil {
			h.rt.Fatal(err)
		}
	})
	for id, user := range h.ids {
		if owners[id] != user {
			h.rt.Fatalf("%s was user %d and is user %d", id, user, owners[id])
		}
	}
	for id, user := range owners {
		h.ids[id] = user
		if _, known := h.worth[user]; !known {
			h.worth[user] = core.Amount(1000 + len(h.worth))
			h.update(func(ctx context.Context, tx store.Tx) error {
				u := all[user]
				u.Overdraft = h.worth[user]
				all[user] = u
				return tx.UpdateUser(ctx, u)
			})
		}
		if all[user].Overdraft != h.worth[user] {
			h.rt.Fatalf("user %d may go %d below zero, was %d", user, all[user].Overdraft, h.worth[user])
		}
		if cards := h.w.cards[user]; len(cards) > 0 && cards[0] != "card-of-"+id {
			h.rt.Fatalf("user %d (%s) has the cards %v", user, id, cards)
		}
	}
	in := h.inside()
	for _, id := range slices.Sorted(maps.Keys(h.src.people)) {
		r, told := h.src.people[id], strings.Contains(run.Message, "CN="+id+" ")
		user, known := owners[id]
		u := all[user]
		switch {
		case !in[id]:
			if known && u.DeletedAt.IsZero() {
				h.rt.Fatalf("%s is not in the scope, and user %+v is", id, u)
			}
		case !known || !u.DeletedAt.IsZero():
			if !told && h.clean {
				h.rt.Fatalf("%s is neither there nor reported: %+v\n%s", id, u, run.Message)
			}
		case u.Department != r.Department || u.Disabled != r.Disabled || h.clean && u.Username != r.Username:
			h.rt.Fatalf("user %+v is not what the directory says: %+v", u, r)
		}
	}
	for id, user := range owners {
		if _, listed := h.src.people[id]; !listed && all[user].DeletedAt.IsZero() {
			h.rt.Fatalf("%s is no longer listed, and user %d is still there", id, user)
		}
	}
}

// inside is whom the scope lets in, worked out plainly.
func (h *history) inside() map[string]bool {
	in := map[string]bool{}
	if len(h.settings.Scope.Groups) == 0 {
		for id := range h.src.people {
			in[id] = true
		}
		return in
	}
	met := map[string]bool{}
	var enter func(group string)
	enter = func(group string) {
		met[group] = true
		for _, m := range h.src.groups[group].Members {
			if _, nested := h.src.groups[m.ID]; !nested {
				in[m.ID] = true
			} else if !met[m.ID] && !h.settings.Scope.Direct {
				enter(m.ID)
			}
		}
	}
	enter("g0")
	return in
}
