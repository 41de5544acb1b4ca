package ui

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
)

// asked is a start where only the network names a server.
func asked() status.Snapshot {
	s := nobody()
	s.Ask, s.Offers, s.Prefill = status.AskConfirmServer, nil, ""
	s.Server = &status.Server{URL: "https://print.example.org:8443", Host: "print.example.org:8443", Where: status.WhereNetwork}
	return s
}

// atServer is a window that asks about a server, late enough for an answer.
func atServer(t *testing.T) (*stage, *server, *time.Time) {
	t.Helper()
	at := now
	s := newStage(t, "en", asked(), status.PageAuto)
	s.options.Clock = func() time.Time { return at }
	p, ok := s.page.(*server)
	if !ok {
		t.Fatalf("the page is %T", s.page)
	}
	at = at.Add(time.Second)
	return s, p, &at
}

func TestE9_TheWindowAsksAboutAServerAndNothingElse(t *testing.T) {
	s, p, _ := atServer(t)
	if p.host.Text != "print.example.org:8443" || p.host.SizeName != sizeHeading {
		t.Errorf("the host is %q in %s", p.host.Text, p.host.SizeName)
	}
	test.Tap(p.yes)
	if a := s.last(); a.Kind != status.ActionConfirmServer || a.Server != "https://print.example.org:8443" {
		t.Errorf("asked %+v", a)
	}
	s.sees()
	if _, ok := s.page.(*identify); !ok {
		t.Errorf("then it shows %T", s.page)
	}
}

func TestReturnSaysYesButNotAtOnce(t *testing.T) {
	s, p, at := atServer(t)
	*at = now.Add(secondClick / 2)
	s.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	test.Tap(p.no)
	if kinds := s.asked(); len(kinds) > 0 {
		t.Fatalf("answered before it could be read: %v", kinds)
	}
	*at = now.Add(time.Second)
	s.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	s.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if diff := cmp.Diff([]status.ActionKind{status.ActionConfirmServer}, s.asked()); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedServerStaysRefusedUntilSomebodyPressesTheButton(t *testing.T) {
	s, p, at := atServer(t)
	test.Tap(p.no)
	s.sees()
	if p.no.Visible() || p.heading.Text != "No print server is set" {
		t.Errorf("it shows %q, no: %v", p.heading.Text, p.no.Visible())
	}
	*at = at.Add(time.Second)
	s.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if diff := cmp.Diff([]status.ActionKind{status.ActionRejectServer}, s.asked()); diff != "" {
		t.Fatal(diff)
	}
	test.Tap(p.yes)
	if a := s.last(); a.Kind != status.ActionConfirmServer {
		t.Errorf("asked %+v", a)
	}
}

func TestAnAnswerThatFailsCanBeGivenAgain(t *testing.T) {
	s, p, _ := atServer(t)
	p.model.Yes.Action.Kind = "broken"
	p.answer(p.model.Yes)
	if p.yes.Disabled() || !p.below.box.Visible() {
		t.Errorf("disabled %v, said %v", p.yes.Disabled(), p.below.box.Visible())
	}
	_ = s
}

func TestClosingTheQuestionMeansNotNow(t *testing.T) {
	s, _, _ := atServer(t)
	s.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if diff := cmp.Diff([]status.ActionKind{status.ActionDismiss}, s.asked()); diff != "" || !s.ended {
		t.Errorf("%s; ended %v", diff, s.ended)
	}
}
