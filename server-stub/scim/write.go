package scim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// stoppedWait is the Retry-After of what the brake refused: an administrator has to look first.
const stoppedWait = time.Hour

// write is one change of one resource, from the request to the commit.
type write struct {
	*call
	kind   *resourceType
	before store.SCIMResource // zero for a new one
	after  store.SCIMResource
	doc    *document
	gone   bool
	result string // what the log says happened, unless the engine knows better

	pushed  dirsync.Pushed
	members store.SCIMMemberChange
}

// begin notes what the request is about to do.
func (c *call) begin(t *resourceType, operation string) {
	c.log = true
	c.entry.Operation, c.entry.Kind, c.entry.Resource = operation, store.SCIMKind(t.name), c.id
}

// create makes a resource.
func (c *call) create(t *resourceType) error {
	c.begin(t, "create")
	in, err := c.body()
	if err != nil {
		return err
	}
	d := newDocument(t)
	if err := d.fill(in, true); err != nil {
		return err
	}
	c.entry.Name = shorten(d.label())
	if err := d.required(); err != nil {
		return err
	}
	if c.conn.NoCreate {
		return refuse(http.StatusForbidden, "", "this connection does not create %ss: creating is switched off for it", strings.ToLower(t.name))
	}
	defer c.locks.lock(c.token.Source, nameLock(t, d.label()))()
	now := c.d.Clock()
	w := &write{call: c, kind: t, doc: d, result: "created"}
	w.after = store.SCIMResource{
		ID: newID(), Source: c.token.Source, Kind: store.SCIMKind(t.name), CreatedAt: now, ModifiedAt: now,
	}
	if err := c.d.Store.View(c.r.Context(), w.known); err != nil {
		return err
	}
	if c.conn.NoUpdate && w.before.ID != "" { // to delete somebody and make them again is no way to change them
		if err := w.only(d.o["active"]); err != nil {
			return err
		}
	}
	c.entry.Resource = w.after.ID
	if err := w.do(); err != nil {
		return err
	}
	return w.answerWith(http.StatusCreated)
}

// nameLock is what keeps two requests from giving one name to two resources. Ids of resources hold no space.
func nameLock(t *resourceType, label string) string { return t.name + " " + fold(label) }

// newID makes the id of a resource: 128 random bits.
func newID() string { return strings.ToLower(rand.Text()) }

// label is what people know the resource by.
func (d *document) label() string {
	if d.kind.name == "User" {
		return d.text("userName")
	}
	return d.text("displayName")
}

// known looks whether the resource is there already, or was before. Somebody who comes back is the same person only with the same
// userName and the same externalId; with another one the engine must be convinced (R-SYNC-1).
func (w *write) known(tx store.Tx) error {
	ctx, externalID, label := w.r.Context(), w.doc.text("externalId"), w.doc.label()
	find := func(path, value string, deleted bool) (list []store.SCIMResource, err error) {
		err = tx.SCIMResources(ctx, w.after.Source, w.after.Kind, store.SCIMQuery{Path: path, Value: key(value), Deleted: deleted}, func(r store.SCIMResource) {
			list = append(list, r)
		})
		return list, err
	}
	if w.kind == w.groups {
		return w.knownGroup(find, label, externalID)
	}
	live, err := find("username", label, false)
	if err != nil {
		return err
	}
	if len(live) > 0 {
		return refuse(http.StatusConflict, uniqueness, "there is a user with this userName already, as %s", live[0].ID)
	}
	gone, err := find("username", label, true)
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(gone) {
		if externalID != "" && r.ExternalID == externalID && fold(r.Name) == fold(label) {
			w.before, w.after.ID, w.after.CreatedAt, w.after.Version, w.result = r, r.ID, r.CreatedAt, r.Version, "restored"
			return nil
		}
	}
	return nil
}

// knownGroup refuses a group that is there. Two groups may have one name, but not without another externalId.
func (w *write) knownGroup(find func(path, value string, deleted bool) ([]store.SCIMResource, error), label, externalID string) error {
	same, err := find("displayname", label, false)
	if err == nil && externalID != "" {
		var more []store.SCIMResource
		more, err = find("externalid", externalID, false)
		same = append(same, more...)
	}
	if err != nil {
		return err
	}
	for _, r := range same {
		if r.ExternalID == externalID {
			return refuse(http.StatusConflict, uniqueness, "there is this group already, as %s", r.ID)
		}
	}
	return nil
}

// load reads the resource of the path for a change of it.
func (c *call) load(t *resourceType, operation string) (*write, error) {
	c.begin(t, operation)
	w := &write{call: c, kind: t, result: "updated"}
	err := c.d.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		w.before, err = c.living(tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.entry.Name, c.entry.UserID = shorten(w.before.Name), w.before.UserID
	if tag := c.r.Header.Get("If-Match"); tag != "" && !matches(tag, w.before) {
		return nil, refuse(http.StatusPreconditionFailed, "", "the resource has changed: it has version %s", etag(w.before))
	}
	w.after = w.before
	if w.doc, err = parseDocument(t, w.before.Data); err != nil {
		return nil, err
	}
	if t == c.users {
		settle(w.doc.o, w.before)
	}
	return w, nil
}

// patch changes a resource by operations.
func (c *call) patch(t *resourceType) error {
	defer c.locks.lock(c.token.Source, c.id)()
	w, err := c.load(t, "update")
	if err != nil {
		return err
	}
	in, err := c.body()
	if err != nil {
		return err
	}
	list, err := readOperations(in)
	if err != nil {
		return err
	}
	was := w.doc.o["active"]
	w.doc = w.doc.copied()
	if err := w.doc.apply(list); err != nil {
		return err
	}
	if err := w.update(was); err != nil {
		return err
	}
	if t == c.groups && c.r.URL.Query().Get("attributes") == "" {
		return w.done()
	}
	return w.answerWith(http.StatusOK)
}

// replace changes a resource to what the request says. Secrets that it does not speak of stay: whoever reads a resource, changes
// it and writes it back has never seen them.
func (c *call) replace(t *resourceType) error {
	defer c.locks.lock(c.token.Source, c.id)()
	w, err := c.load(t, "replace")
	if err != nil {
		return err
	}
	in, err := c.body()
	if err != nil {
		return err
	}
	if id, _ := textOf(member(in, "id")); id != "" && id != c.id {
		return wrong(mutability, "the id cannot be changed")
	}
	was := w.doc.o["active"]
	w.doc = newDocument(t)
	if err := w.doc.fill(in, false); err != nil {
		return err
	}
	if !w.doc.member.whole && t == c.groups {
		w.doc.member.clear()
	}
	if err := w.update(was); err != nil {
		return err
	}
	return w.answerWith(http.StatusOK)
}

// update does a change of a resource that is there.
func (w *write) update(wasActive any) error {
	if err := w.doc.required(); err != nil {
		return err
	}
	leaves := w.doc.o["active"] == false && wasActive != false
	if w.conn.NoUpdate && (!leaves || w.conn.Settings.NoDelete) {
		return refuse(http.StatusForbidden, "", "this connection does not change %ss: updating is switched off for it", strings.ToLower(w.kind.name))
	}
	if w.conn.NoUpdate {
		if err := w.only(false); err != nil {
			return err
		}
	}
	if w.kind == w.users && fold(w.doc.label()) != fold(w.before.Name) {
		defer w.locks.lock(w.token.Source, nameLock(w.kind, w.doc.label()))()
		if err := w.d.Store.View(w.r.Context(), w.taken); err != nil {
			return err
		}
	}
	return w.do()
}

// only undoes all of a change but whether the person is active: who may take people out, or back in, may not thereby rename them, or give
// them cards.
func (w *write) only(active any) error {
	notes := w.doc.notes
	var err error
	if w.doc, err = parseDocument(w.kind, w.before.Data); err != nil {
		return err
	}
	delete(w.doc.o, "active")
	if active != nil {
		w.doc.o["active"] = active
	}
	w.doc.notes = notes
	w.doc.notes.ignore("everything but active: updating is switched off")
	return nil
}

// taken refuses a userName that another person of the connection has.
func (w *write) taken(tx store.Tx) error {
	n, err := tx.CountSCIMResources(w.r.Context(), w.after.Source, w.after.Kind, store.SCIMQuery{Path: "username", Value: key(w.doc.label())})
	if err == nil && n > 0 {
		err = refuse(http.StatusConflict, uniqueness, "there is another user with this userName")
	}
	return err
}

// remove deletes a resource. A person is only taken out: with the same userName and externalId they come back as they were.
func (c *call) remove(t *resourceType) error {
	defer c.locks.lock(c.token.Source, c.id)()
	w, err := c.load(t, "delete")
	if err != nil {
		return err
	}
	w.gone, w.result = true, "deleted"
	if c.conn.Settings.NoDelete && t == c.users {
		w.result = "kept"
	}
	if err := w.do(); err != nil {
		return err
	}
	return w.done()
}

// done answers without a body.
func (w *write) done() error {
	w.w.WriteHeader(http.StatusNoContent)
	return nil
}

// answerWith answers with the resource.
func (w *write) answerWith(status int) error {
	q := w.r.URL.Query()
	v := w.kind.parseView(q.Get("attributes"), q.Get("excludedAttributes"))
	var o object
	var r store.SCIMResource
	err := w.d.Store.View(w.r.Context(), func(tx store.Tx) (err error) {
		if r, err = tx.SCIMResource(w.r.Context(), w.after.Source, w.after.Kind, w.after.ID); err != nil {
			return err
		}
		o, err = w.whole(tx, w.kind, r, v.wants("members"))
		return err
	})
	if err != nil {
		return err
	}
	w.w.Header().Set("ETag", etag(r))
	if status == http.StatusCreated {
		w.w.Header().Set("Location", w.location(w.kind, r.ID))
	}
	return w.answer(status, v.apply(w.kind, o))
}

// do hands the change to the engine, which stores the resource and the line of the log with the person.
func (w *write) do() error {
	secrets := w.doc.secrets()
	data, err := json.Marshal(w.doc.o)
	if err != nil {
		return fmt.Errorf("write a SCIM resource: %w", err)
	}
	if len(data) > maxDocument && len(data) > len(w.before.Data) {
		return refuse(http.StatusRequestEntityTooLarge, tooMany, "the resource would have %d bytes; %d are the most", len(data), maxDocument)
	}
	w.after.Data, w.after.Name, w.after.ExternalID = string(data), w.doc.label(), w.doc.text("externalId")
	if w.before.ID != "" && w.after.ExternalID != w.before.ExternalID {
		w.after.ExternalWas = w.before.ExternalID
	}
	ctx := w.r.Context()
	if err := w.d.Store.View(ctx, w.prepare); err != nil {
		return err
	}
	if w.same(secrets) {
		w.result, w.entry.Status = "unchanged", http.StatusOK
		return w.d.Store.Update(ctx, func(tx store.Tx) error { return w.writeLine(ctx, tx) })
	}
	return w.push(ctx, w.set(secrets), func(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
		if err := w.judge(ctx, tx, r); err != nil {
			return err
		}
		return w.keep(ctx, tx)
	})
}

// prepare looks at what the change depends on. A connection that is paused, as after an undo, takes no changes: the provider would do
// at once again what was taken back.
func (w *write) prepare(tx store.Tx) error {
	state, err := tx.SourceState(w.r.Context(), w.token.Source)
	if err != nil {
		return err
	}
	if !state.PausedAt.IsZero() {
		w.entry.Result = "stopped"
		return &failure{
			status: http.StatusServiceUnavailable, wait: stoppedWait,
			detail: fmt.Sprintf("this connection is paused (%s); let it go on with `platen-server sync schedule %s --resume`", shorten(state.PausedWhy), w.token.Source),
		}
	}
	return w.changeOfMembers(tx)
}

// same tells whether nothing is to be done. Secrets are always handed on: only the engine knows whether they changed.
func (w *write) same(secrets map[string][]string) bool {
	return w.before.ID != "" && w.before.DeletedAt.IsZero() && !w.gone && len(secrets) == 0 && w.after.Data == w.before.Data &&
		w.before.Standing != store.SCIMOut && len(w.members.Added)+len(w.members.Removed) == 0
}

// set is the change as the engine takes it.
func (w *write) set(secrets map[string][]string) (set dirsync.PushSet) {
	id := directory.Key{Kind: core.IdentitySCIMID, ID: w.after.ID}
	switch {
	case w.gone && w.kind == w.groups:
		set.GroupsGone = []directory.Key{id}
	case w.gone:
		set.Gone = []directory.Key{id}
	case w.kind == w.groups:
		set.Groups = []directory.Group{group(w.after.ID, w.doc, w.members)}
	default:
		set.People = []directory.Record{record(w.after.ID, w.doc, secrets)}
	}
	return set
}

// push hands the set to the engine and then runs finish.
func (w *write) push(ctx context.Context, set dirsync.PushSet, finish func(context.Context, store.Tx, dirsync.PushResult) error) error {
	err := w.queue(w.token.Source).do(&job{ctx: ctx, conn: w.conn, set: set, finish: finish})
	var stopped *dirsync.StoppedError
	if errors.As(err, &stopped) {
		w.entry.Result = "stopped"
		return &failure{status: http.StatusServiceUnavailable, wait: stoppedWait, detail: fmt.Sprintf(
			"%s (`platen-server sync approve %s --reason WHY` does, for an hour)", stopped.Message, w.token.Source)}
	}
	return err
}

// judge reads what the engine says of the person.
func (w *write) judge(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
	list := r.People
	if w.gone {
		list = r.Gone
	}
	if w.kind == w.groups || len(list) == 0 {
		return nil
	}
	w.pushed = list[0]
	w.after.UserID = w.pushed.User
	w.entry.UserID = w.pushed.User
	if w.pushed.Refused != "" && w.pushed.User == 0 && !w.gone {
		return untaken("the person", w.pushed.Refused)
	}
	if err := w.renamed(ctx, tx); err != nil {
		return err
	}
	if word := wordFor(w.pushed.Actions); word != "" && w.result != "kept" {
		w.result = word
	}
	return nil
}

// renamed refuses a change of the userName that the engine refused: the provider must not take it for done. What else it changed is
// changed, and changes no more when it is asked for again.
func (w *write) renamed(ctx context.Context, tx store.Tx) error {
	if w.pushed.Refused == "" || w.before.ID == "" || w.gone || fold(w.before.Name) == fold(w.after.Name) {
		return nil
	}
	u, err := tx.User(ctx, w.pushed.User)
	if err == nil && fold(u.Username) != fold(w.after.Name) {
		err = untaken("the userName", w.pushed.Refused)
	}
	return err
}

// wordFor says in one word what happened to the person, the weightiest first.
func wordFor(actions []dirsync.Action) string {
	for _, one := range []struct {
		action dirsync.Action
		word   string
	}{
		{dirsync.ActionDelete, "deleted"},
		{dirsync.ActionRestore, "restored"},
		{dirsync.ActionCreate, "created"},
		{dirsync.ActionDisable, "disabled"},
		{dirsync.ActionEnable, "enabled"},
		{dirsync.ActionLink, "linked"},
		{dirsync.ActionRename, "renamed"},
	} {
		if slices.Contains(actions, one.action) {
			return one.word
		}
	}
	return ""
}

// keep stores the resource and its line of the log.
func (w *write) keep(ctx context.Context, tx store.Tx) error {
	now := w.d.Clock()
	w.after.ModifiedAt, w.after.DeletedAt = now, time.Time{}
	if w.gone {
		w.after.DeletedAt = now
	}
	var err error
	switch {
	case w.gone && w.kind == w.groups:
		err = tx.DeleteSCIMResource(ctx, w.after.Source, w.after.Kind, w.after.ID)
	case w.before.ID == "":
		err = tx.CreateSCIMResource(ctx, w.after, w.doc.values())
	default:
		err = tx.UpdateSCIMResource(ctx, w.after, w.doc.values())
	}
	if err == nil && w.kind == w.groups && !w.gone {
		_, err = tx.ChangeSCIMMembers(ctx, w.after.Source, w.after.ID, w.members.Added, w.members.Removed)
	}
	if err == nil && backAndForth(w.before, w.after.ExternalID) {
		err = w.warnWriters(ctx, tx, w.after.Source)
	}
	if err != nil {
		return err
	}
	return w.writeLine(ctx, tx)
}

// changeOfMembers finds out which members come and go.
func (w *write) changeOfMembers(tx store.Tx) error {
	m := w.doc.member
	w.members = store.SCIMMemberChange{}
	if w.kind != w.groups || w.gone || !m.changes() {
		return nil
	}
	ctx := w.r.Context()
	have := map[string]bool{}
	if w.before.ID != "" {
		list, err := tx.SCIMMembers(ctx, w.before.ID)
		if err != nil {
			return err
		}
		for _, one := range list {
			have[one.ID] = true
			if m.whole && !m.delta[one.ID] {
				w.members.Removed = append(w.members.Removed, one.ID)
			}
		}
	}
	if !m.whole {
		w.members.Removed = m.ids(false)
	}
	for _, id := range m.ids(true) {
		if have[id] {
			continue
		}
		known, err := w.isResource(tx, id)
		switch {
		case err != nil:
			return err
		case !known || id == w.after.ID:
			w.doc.notes.ignore("member " + id + " (not a resource of this connection)")
		default:
			w.members.Added = append(w.members.Added, id)
		}
	}
	return nil
}

// isResource tells whether the id is that of a person or a group of the connection.
func (w *write) isResource(tx store.Tx, id string) (bool, error) {
	for _, kind := range []store.SCIMKind{store.SCIMUser, store.SCIMGroup} {
		_, err := tx.SCIMResource(w.r.Context(), w.after.Source, kind, id)
		if err == nil || !errors.Is(err, core.ErrNotFound) {
			return err == nil, err
		}
	}
	return false, nil
}

// writeLine writes the line of the provisioning log.
func (w *write) writeLine(ctx context.Context, tx store.Tx) error {
	e := w.entry
	e.At, e.Result, e.Resource, e.Name, e.UserID = w.d.Clock(), w.result, w.after.ID, shorten(w.after.Name), w.after.UserID
	if e.Status = http.StatusOK; w.before.ID == "" || !w.before.DeletedAt.IsZero() {
		e.Status = http.StatusCreated
	}
	if w.gone || w.kind == w.groups && e.Operation == "update" {
		e.Status = http.StatusNoContent
	}
	var said []string
	if w.pushed.Refused != "" {
		said = append(said, w.pushed.Refused)
	}
	if text := w.doc.notes.String(); text != "" {
		said = append(said, text)
	}
	if w.kind == w.groups && len(w.members.Added)+len(w.members.Removed) > 0 {
		said = append(said, fmt.Sprintf("%d members added, %d removed", len(w.members.Added), len(w.members.Removed)))
	}
	e.Detail = strings.Join(said, "; ")
	return tx.AppendSCIMLog(ctx, e)
}
