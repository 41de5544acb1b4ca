package agent

import (
	"context"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/printqueue/ipc"
)

func TestASharedComputerStaysOne(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var dialErr error
	f := &fakeService{state: ipc.Status{Enrolled: true, Enrolment: ipc.EnrolmentDone, Role: "shared", Version: "1"}}
	d := &deploy{
		dial:  func(context.Context) (service, error) { return f, dialErr },
		clock: func() time.Time { return now }, logger: testLogger(t),
	}
	i := identity{
		account: func(context.Context) (osuser.Account, error) {
			return osuser.Account{Raw: "student", Name: "student", Kind: usermap.KindLocal}, nil
		},
		deploy: d.decided,
	}
	for _, step := range []struct {
		name   string
		change func()
		want   bool
	}{
		{"its service has not started yet", func() { dialErr = &ipc.Error{Code: ipc.CodeNotRunning} }, false},
		{"its service says so", func() { dialErr = nil }, true},
		{"its service is being updated", func() { dialErr = &ipc.Error{Code: ipc.CodeNotRunning} }, true},
		{"its service is tired of us", func() { dialErr, f.err = nil, &ipc.Error{Code: ipc.CodeLimited} }, true},
		{"it was revoked", func() { f.err, f.state.Enrolled, f.state.Enrolment = nil, false, ipc.EnrolmentRevoked }, true},
		{"it is somebody's own now", func() { f.state.Enrolled, f.state.Role = true, "personal" }, false},
	} {
		now = now.Add(time.Minute)
		step.change()
		if who, err := i.Identify(t.Context(), ""); err != nil || who.Shared != step.want {
			t.Errorf("%s: shared %v, %v", step.name, who.Shared, err)
		}
	}
}

func TestMicrosoftIsReleasedByWhoDoesNotStay(t *testing.T) {
	d := &disk{data: []byte("of the time before")}
	c := &entraCache{
		store: func(context.Context) (microsoft.Cache, error) { return d, nil }, shared: func(context.Context) bool { return false },
	}
	if got, err := c.Load(t.Context()); string(got) != "of the time before" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if err := c.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), []byte("this time")); err != nil || d.data != nil {
		t.Errorf("on disk %q, %v", d.data, err)
	}
	if got, _ := c.Load(t.Context()); string(got) != "this time" {
		t.Errorf("in memory %q", got)
	}
}
