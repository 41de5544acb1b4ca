// Package opener opens web pages in the person's browser.
package opener

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// StartPatience is how long a browser may take to say that it cannot start.
const StartPatience = 3 * time.Second

// Open opens a web page in the person's browser. Only https is opened: the address comes from a server. It waits as long
// as patience lets it for a failure to show; success has no sign.
func Open(ctx context.Context, address string, patience time.Duration) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("open %q in the browser: it is not the address of a web page over https", address)
	}
	return openInBrowser(ctx, u.String(), patience)
}
