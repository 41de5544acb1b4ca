package capabilities

import (
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/platenprint/platen/internal/testenv"
)

// browser starts a browser that has never been here.
func (c *cell) browser() *testenv.ChromiumTab {
	c.Helper()
	return testenv.Chromium(c.T, testenv.ChromiumOptions{Trust: c.site.trust})
}

// atMicrosoft goes through the tenant's pages: account, where it is asked for, password, and the second factor where the
// tenant wants one.
func (c *cell) atMicrosoft(tab *testenv.ChromiumTab) {
	c.Helper()
	tab.WaitVisible("#loginfmt, #passwd")
	if has(tab, "#loginfmt") {
		tab.Do("empty the field", chromedp.Clear("#loginfmt", chromedp.ByQuery))
		tab.Type("#loginfmt", c.who.upn)
		tab.Click("#next")
	}
	tab.Type("#passwd", password)
	tab.Click("#signin")
	if c.site.column != "O3off" {
		tab.Type("#otc", code)
		tab.Click("#verify")
	}
}

// open opens the sign-in page of a site of the server: of everybody or of administrators.
func (c *cell) open(tab *testenv.ChromiumTab, site string) {
	c.Helper()
	tab.Navigate("https://" + site + "/sign-in")
}

// seesThemself fails unless the page at address says who is signed in.
func (c *cell) seesThemself(tab *testenv.ChromiumTab, username, address string) {
	c.Helper()
	tab.WaitVisible(".who")
	if who, at := tab.Text(".who"), tab.URL(); who != username || at != "https://"+address {
		c.Errorf("%s says that %q is signed in, want %q", at, who, username)
	}
	if said := tab.Complaints(); len(said) > 0 {
		c.Errorf("the browser complains: %s", strings.Join(said, "\n"))
	}
}

// typeAccount signs in on the server's own page.
func (c *cell) typeAccount(tab *testenv.ChromiumTab, site string) {
	c.Helper()
	c.open(tab, site)
	tab.Type("#account", c.who.upn)
	tab.Type("#password", password)
	tab.Do("press Enter", chromedp.Submit("#password", chromedp.ByQuery))
}

// withMicrosoft is the button on the server's sign-in page.
const withMicrosoft = "form:has(input[name=provider][value=microsoft]) button"

// pickMicrosoft presses the button, and goes through the tenant's pages unless the tenant knows the browser already.
func (c *cell) pickMicrosoft(tab *testenv.ChromiumTab, site string) {
	c.Helper()
	c.open(tab, site)
	tab.Click(withMicrosoft)
	tab.WaitVisible(".who, #loginfmt, #passwd, #pick")
	switch {
	case has(tab, ".who"):
	case has(tab, "#pick"):
		tab.Click("#pick")
	default:
		c.atMicrosoft(tab)
	}
}

func has(tab *testenv.ChromiumTab, selector string) bool {
	return tab.Eval("document.querySelector('"+selector+"') !== null") == "true"
}
