package agent

import (
	"context"
	"fmt"
	"net/url"
)

// openPage opens a web page of the site in the person's browser. Only https is opened: the address comes from a server.
func openPage(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("open %q in the browser: it is not the address of a web page over https", address)
	}
	return openInBrowser(ctx, u.String())
}
