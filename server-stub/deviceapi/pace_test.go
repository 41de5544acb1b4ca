package deviceapi

import (
	"net"
	"testing"
	"time"
)

func TestConnectionsArePaced(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	p := &paced{}
	for i := range 2 * connectionsAtOnce {
		want := max(0, time.Duration(i+1-connectionsAtOnce)*connectionEvery)
		if got := max(0, p.take(now)); got != want {
			t.Fatalf("connection %d waits %v, want %v", i, got, want)
		}
	}
	now = now.Add(time.Hour)
	if got := p.take(now); got > 0 {
		t.Errorf("an hour later one waits %v", got)
	}
	now = now.Add(-2 * time.Hour)
	if got := p.take(now); got > 0 {
		t.Errorf("with the clock set back one waits %v", got)
	}
}

func TestAPacedListenerCloses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := Pace(l, func() time.Time { return time.Unix(0, 0) })
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := p.Accept(); err != nil {
				ended <- err
				return
			}
		}
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if <-ended == nil || p.Close() == nil {
		t.Error("it is not closed")
	}
}
