package tokenstore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/platenprint/platen/auth/tokenstore"
)

var errNoPrompt = errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'")

// fakeKeyring behaves like the keyrings that people have: it can be away, locked, slow for ever, full, or lie.
type fakeKeyring struct {
	mu       sync.Mutex // guards the fields below
	state    tokenstore.Availability
	items    map[string]string
	calls    int
	getErr   error
	limit    int  // bytes of one item; 0 is no limit
	forgets  bool // Set says yes and keeps nothing
	blocked  chan struct{}
	blocking map[string]bool // which calls wait for blocked to close: "probe", "get", "set"
}

var _ tokenstore.Keyring = (*fakeKeyring)(nil)

func newFake() *fakeKeyring {
	return &fakeKeyring{
		state: tokenstore.Availability{State: tokenstore.Available}, items: map[string]string{},
		blocked: make(chan struct{}), blocking: map[string]bool{},
	}
}

func (f *fakeKeyring) enter(call string) {
	f.mu.Lock()
	f.calls++
	wait := f.blocking[call]
	f.mu.Unlock()
	if wait {
		<-f.blocked
	}
}

func (f *fakeKeyring) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// count returns how many calls there were.
func (f *fakeKeyring) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fakeKeyring) Probe(context.Context) tokenstore.Availability {
	f.enter("probe")
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// usable is what every call of a keyring that is away or locked returns.
func (f *fakeKeyring) usable() error {
	if f.state.State != tokenstore.Available {
		return errNoPrompt
	}
	return nil
}

func (f *fakeKeyring) Get(service, account string) (string, error) {
	f.enter("get")
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.usable(), f.getErr); err != nil {
		return "", err
	}
	item, ok := f.items[service+"/"+account]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return item, nil
}

func (f *fakeKeyring) Set(service, account, secret string) error {
	f.enter("set")
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return err
	}
	if f.limit > 0 && len(secret) > f.limit {
		return keyring.ErrSetDataTooBig
	}
	if !f.forgets {
		f.items[service+"/"+account] = secret
	}
	return nil
}

func (f *fakeKeyring) Delete(service, account string) error {
	f.enter("delete")
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return err
	}
	if _, ok := f.items[service+"/"+account]; !ok {
		return keyring.ErrNotFound
	}
	delete(f.items, service+"/"+account)
	return nil
}

// files lists the files below dir with their content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		found[path] = string(raw)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

// only returns the one file whose name has the prefix and suffix.
func only(t *testing.T, dir, prefix, suffix string) string {
	t.Helper()
	var found []string
	for path := range files(t, dir) {
		if base := filepath.Base(path); strings.HasPrefix(base, prefix) && strings.HasSuffix(base, suffix) {
			found = append(found, path)
		}
	}
	if len(found) != 1 {
		t.Fatalf("files %s*%s in %s: %v, want one", prefix, suffix, dir, found)
	}
	return found[0]
}
