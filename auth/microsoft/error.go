package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"github.com/platenprint/platen/auth/aadsts"
)

// Kind says what went wrong.
type Kind string

// The kinds of an Error.
const (
	Refused     Kind = "refused"     // Entra ID said no, or the person did: Verdict says why
	Cancelled   Kind = "cancelled"   // by this program: the context ended
	TimedOut    Kind = "timed_out"   // the person did not come back from the browser
	Busy        Kind = "busy"        // a sign-in is under way: open its address again instead
	NoBrowser   Kind = "no_browser"  // the browser could not be opened
	NoPort      Kind = "no_port"     // there is no port to listen on for the browser
	BadAnswer   Kind = "bad_answer"  // the browser brought something that is no answer to this sign-in
	Unreachable Kind = "unreachable" // Entra ID does not answer, or not as it should
	Unusable    Kind = "unusable"    // Entra ID answered, and what it says cannot be used
	NoAccount   Kind = "no_account"  // Silent: nobody is signed in here
	BadConfig   Kind = "bad_config"  // the configuration cannot be right; nothing was asked
)

// Error is what the functions of this package return. It holds no token, code or name, so it may be logged.
type Error struct {
	Kind    Kind
	Verdict aadsts.Verdict // of Refused
	cause   error
}

// Error implements error. The text is for logs and administrators.
func (e *Error) Error() string {
	text := map[Kind]string{
		Refused:     "sign in with Microsoft",
		Cancelled:   "the sign-in with Microsoft was cancelled",
		TimedOut:    "nobody came back from the browser in time",
		Busy:        "a sign-in with Microsoft is under way",
		NoBrowser:   "the browser could not be opened",
		NoPort:      "no port could be opened for the browser's answer",
		BadAnswer:   "the browser brought no answer to this sign-in",
		Unreachable: "Microsoft Entra ID could not be reached",
		Unusable:    "the answer of Microsoft Entra ID cannot be used",
		NoAccount:   "nobody is signed in with Microsoft here",
		BadConfig:   "the configuration for signing in with Microsoft is not right",
	}[e.Kind]
	switch {
	case e.Kind == Refused:
		return text + ": " + e.Verdict.Error()
	case e.cause != nil:
		return text + ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause, if it tells more: of the system, the network or the context.
func (e *Error) Unwrap() error { return e.cause }

func failf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, cause: fmt.Errorf(format, args...)}
}

// errTimedOut is why a context ends when the person does not come back.
var errTimedOut = errors.New("the time for signing in was over")

// ended says why ctx is over.
func ended(ctx context.Context) *Error {
	if errors.Is(context.Cause(ctx), errTimedOut) {
		return &Error{Kind: TimedOut}
	}
	return &Error{Kind: Cancelled, cause: ctx.Err()}
}

// maxErrorBody is how much of an error's body is read, in bytes.
const maxErrorBody = 64 << 10

// translate makes an Error of what MSAL returned. MSAL's own texts have whole requests and answers in them, so they are
// never passed on.
func translate(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if own, ok := errors.AsType[*Error](err); ok { // of our HTTP client
		return own
	}
	if call, ok := errors.AsType[msal.CallErr](err); ok && call.Resp != nil {
		return answered(call.Resp)
	}
	if _, ok := errors.AsType[msal.InvalidJsonErr](err); ok {
		return failf(Unusable, "it is not the document that was expected")
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return failf(Unusable, "it is not the document that was expected")
	}
	if network, ok := errors.AsType[*url.Error](err); ok {
		return &Error{Kind: Unreachable, cause: network.Err} // without the address
	}
	if err.Error() == noRefreshToken {
		return &Error{Kind: NoAccount}
	}
	return failf(Unusable, "%s", harmless(err.Error()))
}

// noRefreshToken is what MSAL says when it would have to ask Entra ID and has nothing to ask with.
const noRefreshToken = "no token found"

// answered reads an HTTP answer that is an error.
func answered(res *http.Response) *Error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	if err == nil {
		if r, ok := aadsts.ParseJSON(raw); ok {
			return &Error{Kind: Refused, Verdict: aadsts.Classify(r)}
		}
	}
	return failf(Unreachable, "it answered with HTTP status %d", res.StatusCode)
}

// long is compiled when it is first needed: the resident that has this package mostly never needs it.
var long = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_\-.~+=%]{40,}`) })

// harmless takes whatever could be a token, code or verifier out of a text, and makes it short.
func harmless(text string) string {
	text = long().ReplaceAllString(text, "...")
	return text[:min(len(text), 300)]
}
