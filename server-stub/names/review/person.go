package review

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

// reviewer looks at one person.
type reviewer struct {
	Options

	ctx context.Context
	now *memo
}

func (r *reviewer) person(u core.User) (Line, bool, error) {
	own, err := r.now.UserNames(r.ctx, u.ID)
	if err != nil {
		return Line{}, false, err
	}
	own = inForce(own)
	if !r.chosen(u, own) {
		return Line{}, false, nil
	}
	line := Line{User: u, Target: target(r.To, u, own), State: Unchanged}
	if !auth.Same(line.Target, u.Username) {
		line.State = GainsAlias
	}
	if err := r.checkTarget(&line, own); err != nil {
		return Line{}, false, err
	}
	for _, job := range r.jobs(u, own, line.Target) {
		if err := r.ask(&line, job); err != nil {
			return Line{}, false, err
		}
	}
	return line, true, nil
}

// chosen tells whether the person is of the domain that was asked for.
func (r *reviewer) chosen(u core.User, own []core.LoginName) bool {
	if r.Domain == "" {
		return true
	}
	return slices.ContainsFunc(own, func(n core.LoginName) bool {
		return n.Kind == core.NameSAM && auth.Same(r.domainOf(n), r.Domain)
	}) || slices.ContainsFunc(r.Rules.Domains, func(d names.Domain) bool {
		return d.Source == u.Source && d.Source != core.LocalSource && d.Is(r.Domain)
	})
}

// domainOf is the NetBIOS domain of a short name, "" where it is not known.
func (r *reviewer) domainOf(n core.LoginName) string {
	if n.Domain != "" {
		return strings.ToUpper(string(n.Domain))
	}
	found := ""
	for _, d := range r.Rules.Domains {
		if d.Source == n.Source && n.Source != core.LocalSource && d.NetBIOS != "" {
			if found != "" {
				return ""
			}
			found = d.NetBIOS
		}
	}
	return found
}

// target is what the person will go by, "" when no directory says.
func target(to Target, u core.User, own []core.LoginName) string {
	if to == ToMail {
		return u.Email
	}
	upn := ""
	for _, n := range own {
		if n.Kind == core.NameUPN && (upn == "" || n.Source == u.Source) {
			upn = n.Name
		}
	}
	return upn
}

// checkTarget holds the target against what others hold.
func (r *reviewer) checkTarget(line *Line, own []core.LoginName) error {
	if line.Target == "" {
		line.problem(NoMatch, "no directory tells the person's %s", map[Target]string{ToUPN: "UPN", ToMail: "e-mail address"}[r.To])
		if email := line.User.Email; r.To == ToUPN && email != "" {
			line.problem(NoMatch, "the e-mail address %s may be it: --to mail", email)
		}
		return nil
	}
	folded, err := auth.Canon(line.Target)
	switch {
	case err != nil:
		line.problem(NoMatch, "%s cannot be a username: %v", line.Target, err)
		return nil
	case usermap.Lookalike(folded):
		line.problem(NoMatch, "%s mixes letters that look alike, so it would never be followed without asking", line.Target)
	}
	holders, err := r.now.Holders(r.ctx, folded)
	if err != nil {
		return err
	}
	told := map[core.UserID]bool{}
	for _, h := range holders {
		if h.UserID == line.User.ID || told[h.UserID] || !names.Blocks(h, r.Now) {
			continue
		}
		told[h.UserID] = true
		username, err := r.username(h.UserID)
		switch {
		case err != nil:
			return err
		case h.ValidTo.IsZero():
			line.problem(Ambiguous, "%s is the %s of %s, who keeps it", line.Target, h.Kind, username)
		default:
			line.problem(Ambiguous, "%s was the %s of %s and is kept for them", line.Target, h.Kind, username)
		}
	}
	return nil
}

// jobs are the names that workstations of the person send: the short names that the operating system knows (sAMAccountName, and
// MailNickName on computers joined to Entra ID), with and without the domain, and the UPN.
func (r *reviewer) jobs(u core.User, own []core.LoginName, target string) []names.Job {
	var list []names.Job
	add := func(owner, domain string) {
		same := func(j names.Job) bool { return auth.Same(j.Owner, owner) }
		if owner != "" && !slices.ContainsFunc(list, same) {
			list = append(list, names.Job{Owner: owner, JoinDomain: domain, From: r.From, Provider: r.Provider})
		}
	}
	for _, n := range own {
		if n.Kind == core.NameSAM {
			add(n.Name, r.domainOf(n))
		}
	}
	for _, n := range own {
		if n.Kind == core.NameNickname {
			add(n.Name, "")
		}
	}
	if !strings.Contains(u.Username, "@") {
		add(u.Username, "")
	}
	for _, n := range own {
		if domain := r.domainOf(n); n.Kind == core.NameSAM && domain != "" {
			add(domain+`\`+n.Name, domain)
		}
	}
	add(target, "")
	return list
}

// ask finds the owner of a job today and after the switch.
func (r *reviewer) ask(line *Line, job names.Job) error {
	sent := Sent{Name: job.Owner}
	after := r.Rules
	after.Domains = slices.Clone(after.Domains)
	for i := range after.Domains {
		after.Domains[i].Truncates = false
	}
	var err error
	if sent.Now, err = r.owner(r.now, job, r.Rules); err != nil {
		return err
	}
	if sent.Then, err = r.owner(then{r.now, r.To}, job, after); err != nil {
		return err
	}
	line.Sent = append(line.Sent, sent)
	u := line.User.ID
	if job.Owner == line.Target && len(line.Problems) > 0 {
		return nil // said already
	}
	switch sent.Then.Outcome {
	case names.One, names.Disabled:
		if sent.Then.User != u {
			line.problem(Ambiguous, "a job of %s would be that of %s", sent.Name, sent.Then.Username)
		}
	case names.Ambiguous:
		var others []string
		for _, id := range sent.Then.Others {
			if id == u {
				continue
			}
			username, err := r.username(id)
			if err != nil {
				return err
			}
			others = append(others, username)
		}
		line.problem(Ambiguous, "a job of %s could also be that of %s, so it would be nobody's%s", sent.Name, strings.Join(others, ", "), asToday(sent))
	case names.Unknown:
		line.problem(NoMatch, "a job of %s would be nobody's%s", sent.Name, asToday(sent))
	}
	return nil
}

func asToday(s Sent) string {
	if s.Now.User == 0 {
		return ", as today"
	}
	return ""
}

func (r *reviewer) owner(tx names.Reader, job names.Job, rules names.Rules) (Owner, error) {
	a, err := names.FindOwner(r.ctx, tx, job, rules, r.Providers, r.Now)
	if err != nil {
		return Owner{}, err
	}
	o := Owner{Outcome: a.Outcome, User: a.User, Others: a.Candidates, Why: a.Why}
	if a.User != 0 {
		o.Username, err = r.username(a.User)
	}
	return o, err
}

func (r *reviewer) username(id core.UserID) (string, error) {
	u, err := r.now.User(r.ctx, id)
	return u.Username, err
}

// problem notes a problem, and the worse of the states.
func (l *Line) problem(s State, format string, args ...any) {
	if l.State != Ambiguous {
		l.State = s
	}
	l.Problems = append(l.Problems, fmt.Sprintf(format, args...))
}

func inForce(list []core.LoginName) []core.LoginName {
	return slices.DeleteFunc(slices.Clone(list), func(n core.LoginName) bool { return !n.ValidTo.IsZero() })
}
