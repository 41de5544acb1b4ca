package doctor

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/internal/settings/sources"
)

func (in Inputs) config(context.Context) Result {
	var r Result
	for _, v := range in.Config.Values() {
		line := fmt.Sprintf("%s=%s (%s)", v.Name, v.Text, v.Origin)
		if v.Problem != "" {
			line += ": " + v.Problem
		}
		for _, weaker := range v.Overrides {
			line += fmt.Sprintf(", instead of %s (%s)", weaker.Text, weaker.Origin)
		}
		r.Details = append(r.Details, line)
	}
	for _, w := range in.Warnings {
		r.Details = append(r.Details, "warning: "+w.String())
	}
	switch err := in.Config.Broken(); {
	case err != nil:
		r.Level, r.Sentence = Fail, "A setting that decides whom to trust is not usable: "+firstLine(err.Error())+"."
		r.Remedy = "Put this value right where it stands; Platen does not connect until then."
	case in.Config.ServerURL == nil:
		r.Level, r.Sentence = Fail, "No server is set."
		r.Remedy = "Set ServerURL, for example in /etc/platen/platen.conf or by policy."
	case len(in.Warnings) > 0:
		r.Level, r.Sentence = Warn, "Settings: "+in.Warnings[0].String()
		if more := len(in.Warnings) - 1; more > 0 {
			r.Sentence += fmt.Sprintf(" (and %d more)", more)
		}
		r.Remedy = "Put the setting right where it stands."
	case in.Confirmed:
		r.Level, r.Sentence = OK, fmt.Sprintf("The server is %s (confirmed by you).", in.Config.ServerURL.Host)
	case in.Config.Origin("ServerURL").Unconfirmed():
		who := "The network alone"
		if in.Config.Origin("ServerURL").Kind == sources.KindPackageName {
			who = "The file name of the installed package alone"
		}
		r.Level, r.Sentence = Warn, fmt.Sprintf("%s names the server %s.", who, in.Config.ServerURL.Host)
		r.Remedy = "Agree to it when Platen asks (platen confirm-server), or set ServerURL."
	default:
		r.Level, r.Sentence = OK, fmt.Sprintf("The server is %s (%s).", in.Config.ServerURL.Host, in.Config.Origin("ServerURL"))
	}
	return r
}

func firstLine(text string) string {
	for i, ch := range text {
		if ch == '\n' {
			return text[:i]
		}
	}
	return text
}
