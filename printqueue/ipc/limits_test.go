package ipc

import (
	"fmt"
	"testing"
	"time"
)

func TestR_IPC_4_ThirtyQuestionsInAnyMinute(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l := newLimits(func() time.Time { return now })
	var took int
	for range 600 { // one a second, for ten minutes
		if _, ok := l.ask("a"); ok {
			took++
		}
		now = now.Add(time.Second)
	}
	if took != 10*ratePerMinute {
		t.Errorf("%d questions in ten minutes", took)
	}
	for range ratePerMinute {
		l.ask("b")
	}
	retry, ok := l.ask("b")
	if ok || !retry.Equal(now.Add(time.Minute)) {
		t.Errorf("b: %v, %v", retry, ok)
	}
	if _, ok := l.ask("c"); !ok {
		t.Error("b keeps c out")
	}
	now = now.Add(-time.Hour) // the clock was wrong
	if _, ok := l.ask("b"); !ok {
		t.Error("a clock that is set back locks b out")
	}
}

func TestLimitsForgetAndStayBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l := newLimits(func() time.Time { return now })
	for i := range maxUsers {
		if _, ok := l.ask(fmt.Sprint(i)); !ok {
			t.Fatalf("user %d was turned away", i)
		}
	}
	if _, ok := l.ask("one more"); ok {
		t.Error("the table grows without end")
	}
	if _, ok := l.ask("7"); !ok {
		t.Error("who is known is turned away")
	}
	now = now.Add(time.Minute)
	if _, ok := l.ask("one more"); !ok || len(l.asked) != 1 {
		t.Errorf("a minute later: %d users remembered", len(l.asked))
	}
}

func TestSeats(t *testing.T) {
	l := newLimits(time.Now)
	for range maxSeats {
		if !l.sit("a") {
			t.Fatal("too few seats")
		}
	}
	if l.sit("a") || !l.sit("b") {
		t.Error("one user's seats are not their own")
	}
	for range maxSeats {
		l.rise("a")
	}
	l.rise("b")
	if !l.sit("a") || len(l.seats) != 1 {
		t.Errorf("seats are not given back: %v", l.seats)
	}
}
