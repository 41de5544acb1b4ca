package tokenstore_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/auth/tokenstore"
)

var _ microsoft.Cache = tokenstore.MicrosoftCache{}

var cached = []byte(`{"RefreshToken":{"secret":"` + canary + strings.Repeat("x", 7000) + `"}}`) // as large as real ones

func TestMicrosoftsCacheOutlivesTheProgramBesideTheSession(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	if got, err := s.MicrosoftCache().Load(t.Context()); got != nil || err != nil {
		t.Errorf("Load() of nothing = %q, %v", got, err)
	}
	save(t, s)
	if err := s.MicrosoftCache().Save(t.Context(), cached); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, ring)
	got, err := again.MicrosoftCache().Load(t.Context())
	if err != nil || !bytes.Equal(got, cached) {
		t.Errorf("Load() = %d bytes, %v", len(got), err)
	}
	mustLoad(t, again, kept())
	for path, content := range files(t, dir) {
		if strings.Contains(content, "CANARY") {
			t.Errorf("%s has a canary in clear", path)
		}
	}
	if err := again.MicrosoftCache().Save(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	third := open(t, dir, ring)
	if got, err := third.MicrosoftCache().Load(t.Context()); got != nil || err != nil {
		t.Errorf("Load() of what was forgotten = %q, %v", got, err)
	}
	mustLoad(t, third, kept())
}

func TestClearForgetsMicrosoftsCacheToo(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	if err := errors.Join(s.MicrosoftCache().Save(t.Context(), cached), s.Clear(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got, err := s.MicrosoftCache().Load(t.Context()); got != nil || err != nil || len(files(t, dir)) != 0 || len(ring.items) != 0 {
		t.Errorf("left: %q, %v, %d files, %d keys", got, err, len(files(t, dir)), len(ring.items))
	}
}

func TestMicrosoftsCacheWithoutAKeyringIsInMemoryOnly(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	ring.state.State = tokenstore.Missing
	s := open(t, dir, ring)
	if err := s.MicrosoftCache().Save(t.Context(), cached); err != nil {
		t.Fatal(err)
	}
	if got, err := s.MicrosoftCache().Load(t.Context()); err != nil || !bytes.Equal(got, cached) || len(files(t, dir)) != 0 {
		t.Errorf("Load() = %d bytes, %v; %d files", len(got), err, len(files(t, dir)))
	}
	if got, err := open(t, dir, ring).MicrosoftCache().Load(t.Context()); got != nil || err != nil {
		t.Errorf("Load() after a restart = %q, %v", got, err)
	}
	if err := s.MicrosoftCache().Save(t.Context(), make([]byte, 1<<20)); err == nil {
		t.Error("Save() took a MiB")
	}
}

func TestMicrosoftsCacheInPlaceOfTheSessionIsNotTaken(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	if err := s.MicrosoftCache().Save(t.Context(), cached); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(only(t, dir, "session-", ".sealed"), only(t, dir, "microsoft-", ".sealed")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, ring).MicrosoftCache().Load(t.Context()); !errors.Is(err, tokenstore.ErrForeign) {
		t.Errorf("Load() of the session: %v", err)
	}
}
