package view

import (
	"github.com/platenprint/platen/client/status"
)

// AskServer is the model of the page that asks whether a print server is the person's: one that only the network, or the name of
// the installation file, names. It is a question of its own, before anything about signing in.
type AskServer struct {
	Heading string
	Host    string // to be shown large: it is what there is to compare
	Found   string // who names it
	Unsure  string
	Yes     Button
	No      Button // the zero value where they have said no before
}

// asks tells whether a server waits for the person's word.
func asks(s status.Snapshot) bool { return s.Server != nil && !s.Server.Rejected }

// AskServerOf says what the page shows; s.Server must be there.
func AskServerOf(s status.Snapshot, l Locale) AskServer {
	m := AskServer{
		Heading: l.text("server.title"), Host: s.Server.Host, Found: l.text("server.network"), Unsure: l.text("server.unsure"),
		Yes: Button{l.text("button.use_server"), status.Action{Kind: status.ActionConfirmServer, Server: s.Server.URL}},
		No:  Button{l.text("button.not_server"), status.Action{Kind: status.ActionRejectServer, Server: s.Server.URL}},
	}
	if s.Server.Where == status.WherePackage {
		m.Found = l.text("server.package")
	}
	if s.Server.Rejected {
		m.Heading, m.Found, m.No = l.text("server.title_rejected"), l.text("server.rejected"), Button{}
	}
	return m
}
