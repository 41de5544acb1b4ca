package capabilities

import (
	"regexp"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// cell is a test of one cell, and whom it is about.
type cell struct {
	*testing.T
	site *site
	who  person
}

// cells are the tests, by the name of their cell: row and column.
var cells = map[string]func(*cell){
	"A2_01_O2": peopleAndGroups,

	"A2_05_O2":    pageByPassword,
	"A2_05_O3on":  pageByMicrosoft, // the password is typed at Microsoft's
	"A2_05_O3off": pageByPassword,

	"A2_06_O2":    pageByMicrosoft,
	"A2_06_O3on":  pageByMicrosoft,
	"A2_06_O3off": pageByMicrosoft,

	"A2_08_O2":    clientByPassword,
	"A2_08_O3on":  clientByMicrosoftOnly,
	"A2_08_O3off": clientByPassword,

	"A2_09_O2":    clientByMicrosoft,
	"A2_09_O3on":  clientByMicrosoft,
	"A2_09_O3off": clientByMicrosoft,

	"A2_12_O2":    queuesByPassword,
	"A2_12_O3on":  queuesByMicrosoft,
	"A2_12_O3off": queuesByPassword,

	"A2_13_O2":    queuesByMicrosoft,
	"A2_13_O3on":  queuesByMicrosoft,
	"A2_13_O3off": queuesByMicrosoft,

	"A2_17_O2":    costsNothing,
	"A2_17_O3on":  costsNothing,
	"A2_17_O3off": costsNothing,

	"A2_18_O2":    usernameByDirectory,
	"A2_18_O3on":  usernameByMicrosoft,
	"A2_18_O3off": usernameByMicrosoft,

	"A2_19_O2":   secondFactor,
	"A2_19_O3on": secondFactor,

	"A2_20_O2": cardNumbers,

	"A2_21_O2": aliases,

	"A2_22_O2": nestedGroups,
}

// username is what the person is called here.
func (c *cell) username() string {
	if c.site.column == "O2" {
		return c.who.short // what Entra Domain Services gives
	}
	return c.who.upn
}

func pageByPassword(c *cell) { c.bothSites(c.typeAccount) }

func pageByMicrosoft(c *cell) {
	c.bothSites(c.pickMicrosoft)
	c.belongs()
}

// bothSites signs in as a user and then, made one, as an administrator, whose pages are a site of their own.
func (c *cell) bothSites(signIn func(*testenv.ChromiumTab, string)) {
	c.Helper()
	tab := c.browser()
	signIn(tab, c.site.address)
	c.seesThemself(tab, c.username(), c.site.address+"/")
	c.site.server(c.T, "user", "role", c.username(), "--grant", "admin")
	signIn(tab, c.site.admin)
	c.seesThemself(tab, c.username(), c.site.admin+"/admin")
}

func clientByPassword(c *cell) {
	r := c.resident()
	r.byPassword(c.who.upn)
	r.untilSignedIn(c.username())
}

func clientByMicrosoft(c *cell) {
	r := c.resident()
	r.byMicrosoft()
	r.untilSignedIn(c.username())
	c.belongs()
}

// clientByMicrosoftOnly: the password that Microsoft's page takes is refused without the second factor.
func clientByMicrosoftOnly(c *cell) {
	r := c.resident()
	if out, code := r.run(password+"\n", "sign-in", "--username", c.who.upn, "--password-stdin"); code == 0 {
		c.Errorf("a bare password signs in where MFA is on: %s", out)
	}
	r.byMicrosoft()
	r.untilSignedIn(c.username())
}

func queuesByPassword(c *cell) {
	r := c.resident()
	r.byPassword(c.who.upn)
	r.untilSignedIn(c.username())
	r.oneSession(c.T, c.username())
}

func queuesByMicrosoft(c *cell) {
	r := c.resident()
	r.byMicrosoft()
	r.untilSignedIn(c.username())
	r.oneSession(c.T, c.username())
}

// belongs fails unless the person is the directory's: Microsoft's proof leads to the account that is there, and makes no other.
func (c *cell) belongs() {
	c.Helper()
	if a := c.site.account(c.T, c.who.upn); c.site.column == "O2" && a.Source != "corp" {
		c.Errorf("the account belongs to %q, not to the directory", a.Source)
	}
}

// peopleAndGroups: what the directory lists is here, and its plan says that nothing is missing.
func peopleAndGroups(c *cell) {
	if a := c.site.account(c.T, c.who.upn); a.Source != "corp" {
		c.Errorf("the account is of %q", a.Source)
	}
	if groups := c.site.server(c.T, "group", "list"); !strings.Contains(groups, innerGroup) || !strings.Contains(groups, outerGroup) {
		c.Errorf("the groups of the directory are not here:\n%s", groups)
	}
	if plan := c.site.server(c.T, "sync", "plan", "corp", "--full"); !strings.Contains(plan, "There is nothing to apply") {
		c.Errorf("people or groups are not as the directory lists them:\n%s", plan)
	}
}

// cardNumbers: the number that the directory has is a card of the person.
func cardNumbers(c *cell) {
	if list := c.site.server(c.T, "user", "card", "list", c.username()); !strings.Contains(list, "corp") {
		c.Errorf("no card came from the directory:\n%s", list)
	}
}

// nestedGroups: who is in a group within a group is in both.
func nestedGroups(c *cell) {
	why := c.site.server(c.T, "group", "why", c.username(), outerGroup)
	if !strings.Contains(why, innerGroup) {
		c.Errorf("nobody says by which way %s is in %s:\n%s", c.username(), outerGroup, why)
	}
}

// costsNothing: everything here runs without a key, and there is no place for one.
func costsNothing(c *cell) {
	settings := c.site.server(c.T, "config", "show", "--json")
	if found := regexp.MustCompile(`(?i)licen[cs]e|subscription|activation|expir`).FindString(settings); found != "" {
		c.Errorf("the configuration speaks of %q:\n%s", found, settings)
	}
}

func usernameByDirectory(c *cell) {
	if a := c.site.account(c.T, c.who.upn); a.Username != c.who.short {
		c.Errorf("username %q, want the sAMAccountName %q", a.Username, c.who.short)
	}
	a := c.site.account(c.T, guest.short) // by the name that became an alias
	if a.Username != guest.upn || a.Source != "guests" {
		c.Errorf("username %q of %q, want the UPN %q of guests", a.Username, a.Source, guest.upn)
	}
	r := c.resident()
	r.byPassword(guest.short)
	r.untilSignedIn(guest.upn)
}

func usernameByMicrosoft(c *cell) {
	tab := c.browser()
	c.pickMicrosoft(tab, c.site.address)
	c.seesThemself(tab, c.who.upn, c.site.address+"/")
	if a := c.site.account(c.T, c.who.upn); a.Username != c.who.upn {
		c.Errorf("username %q, want the UPN %q", a.Username, c.who.upn)
	}
}

// secondFactor: nobody comes in by Microsoft before the second factor, whichever directory they are from.
func secondFactor(c *cell) {
	tab := c.browser()
	c.open(tab, c.site.address)
	tab.Click(withMicrosoft)
	tab.Type("#loginfmt", c.who.upn)
	tab.Click("#next")
	tab.Type("#passwd", password)
	tab.Click("#signin")
	tab.WaitVisible("#otc")
	if a, err := c.site.try(c.T, "user", "sessions", c.who.upn, "--json"); err == nil && strings.Contains(a, `"client"`) {
		c.Errorf("there is a session before the second factor: %s", a)
	}
	tab.Type("#otc", "000000")
	tab.Click("#verify")
	tab.WaitVisible("#problem")
	tab.Type("#otc", code)
	tab.Click("#verify")
	c.seesThemself(tab, c.username(), c.site.address+"/")
}

// aliases: each name that the directory has for somebody signs them in, over the API as the client does.
func aliases(c *cell) {
	r := c.resident()
	for _, name := range []string{c.who.short, c.who.upn, c.who.short + ".nick", c.who.short + ".other@" + suffix} {
		r.byPassword(name)
		r.untilSignedIn(c.who.short)
		if out, code := r.run("", "sign-out"); code != 0 {
			c.Fatalf("sign out: %s", out)
		}
	}
}
