package google

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/egress"
)

// The fields that are read where the configuration names none: those that print management of today uses.
const (
	DefaultCardField = "PaperCut.cardNumber"
	DefaultCodeField = "PaperCut.accessCode"
)

// None, as the only card field or as the code field, reads no cards or no codes.
const None = "none"

// Config says which customer is read and how. The comments of directory/configured explain each key to administrators.
type Config struct {
	ID       core.SourceID
	Customer string // such as C01abc234; "": my_customer, that of the subject
	// ServiceAccount gives the key of the service account, as the JSON file that Google Cloud's console makes. It is asked anew
	// for each reading.
	ServiceAccount directory.Secret
	Subject        string   // the address of the administrator whom the service account acts for
	OrgUnits       []string // paths of organisational units, such as /Staff; none: everybody

	// CardFields and CodeField are fields of custom schemas, SCHEMA.FIELD. Those that are named here must be there. None of
	// them: the default ones, where they are there.
	CardFields []string
	CodeField  string

	// WatchURL is the https address under which Google reaches this server: "": it cannot, and Watch hears nothing.
	WatchURL string

	// APIURL is another address than Google's, https://HOST[:PORT]; only with AllowAnyAuthority, for tests.
	APIURL            string
	AllowAnyAuthority bool
	CAFile            string // what its certificate is signed by, PEM; empty: the system's authorities

	Username directory.UsernameRule // nickname takes the part of the primary address before the @
	PageSize int                    // people asked for at a time, 1 to 500; 0: 500
}

// Source is a Google Workspace customer. It implements directory.Watcher. Safe for concurrent use.
type Source struct {
	cfg      Config
	logger   *slog.Logger
	now      clock.Clock
	client   *client
	api      string // origin of the API
	tokenURL string
	cards    []field
	code     field

	wait func(ctx context.Context, d time.Duration) error // replaced in tests

	mu       sync.Mutex // guards channels
	channels map[string]*channel
}

// field is a field of a custom schema.
type field struct {
	schema, name string
	wanted       bool // named in the configuration, so it must be there
}

func (f field) String() string { return f.schema + "." + f.name }

const maxPageSize = 500

// New checks the configuration, without connecting. An error names the key and the remedy.
func New(cfg Config, logger *slog.Logger, now clock.Clock) (*Source, error) {
	s := &Source{cfg: cfg, logger: logger.With("source", string(cfg.ID)), now: now, wait: egress.Wait, channels: map[string]*channel{}}
	if cfg.Customer == "" {
		s.cfg.Customer = "my_customer"
	}
	if cfg.PageSize == 0 {
		s.cfg.PageSize = maxPageSize
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	var err error
	if s.client, err = newClient(s.api, s.tokenURL, cfg.CAFile); err != nil {
		return nil, s.errorf("%w: ca_file: %w", core.ErrInvalid, err)
	}
	return s, nil
}

// ID implements directory.Source.
func (s *Source) ID() core.SourceID { return s.cfg.ID }

func (s *Source) check() error {
	cfg := s.cfg
	wrong := func(key, format string, args ...any) error {
		return s.errorf("%w: %s: %s", core.ErrInvalid, key, fmt.Sprintf(format, args...))
	}
	subject, err := mail.ParseAddress(cfg.Subject)
	switch {
	case cfg.ServiceAccount == nil:
		return wrong("service_account_file", "write the name of the JSON file with the service account's key")
	case err != nil || subject.Address != cfg.Subject:
		return wrong("subject", "write the address of the administrator whom the service account acts for, such as platen-reader@example.org")
	case strings.ContainsAny(cfg.Customer, "/?&# "):
		return wrong("customer", "%q: write the customer's id, such as C01abc234, or leave it out", cfg.Customer)
	case cfg.Username == directory.UsernameSAM:
		return wrong("username", "Google has no sAMAccountName: write upn, mail or nickname (the address before the @)")
	case cfg.APIURL != "" && !cfg.AllowAnyAuthority:
		return wrong("api_url", "it is for tests: remove it, or write allow_any_authority: yes too")
	case cfg.PageSize < 0 || cfg.PageSize > maxPageSize:
		return wrong("page_size", "%d: write 1 to %d", cfg.PageSize, maxPageSize)
	}
	s.cfg.OrgUnits = nil
	for _, unit := range cfg.OrgUnits {
		if !strings.HasPrefix(unit, "/") || strings.ContainsAny(unit, "\r\n\x00") {
			return wrong("org_units", "%q: write the unit's path from the top, such as /Staff", unit)
		}
		if unit = "/" + strings.Trim(unit, "/"); !slices.Contains(s.cfg.OrgUnits, unit) {
			s.cfg.OrgUnits = append(s.cfg.OrgUnits, unit)
		}
	}
	if s.cards, err = fields(cfg.CardFields, DefaultCardField); err != nil {
		return wrong("card_fields", "%v", err)
	}
	var code []string
	if cfg.CodeField != "" {
		code = []string{cfg.CodeField}
	}
	codes, err := fields(code, DefaultCodeField)
	if err != nil {
		return wrong("code_field", "%v", err)
	}
	if len(codes) > 0 {
		s.code = codes[0]
	}
	if cfg.WatchURL != "" {
		u, err := url.Parse(cfg.WatchURL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return wrong("watch_url", "%q: write the https address under which Google reaches this server, or leave it out", cfg.WatchURL)
		}
	}
	s.api, s.tokenURL = "https://admin.googleapis.com", "https://oauth2.googleapis.com/token"
	if cfg.APIURL != "" {
		u, err := url.Parse(strings.TrimSuffix(strings.ToLower(cfg.APIURL), "/"))
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return wrong("api_url", "%q: write https://HOST", cfg.APIURL)
		}
		s.api, s.tokenURL = u.String(), u.String()+"/token"
	}
	return nil
}

// fields reads SCHEMA.FIELD; usual where there are none.
func fields(names []string, usual string) ([]field, error) {
	if len(names) == 1 && names[0] == None {
		return nil, nil
	}
	wanted := len(names) > 0
	if !wanted {
		names = []string{usual}
	}
	list := make([]field, 0, len(names))
	for _, text := range names {
		schema, name, ok := strings.Cut(text, ".")
		if !ok || schema == "" || name == "" || strings.ContainsAny(text, ", /()") {
			return nil, fmt.Errorf("%q: write SCHEMA.FIELD, such as %s, or %s", text, usual, None)
		}
		list = append(list, field{schema, name, wanted})
	}
	return list, nil
}

func (s *Source) errorf(format string, args ...any) error {
	return fmt.Errorf("google directory %q: %w", s.cfg.ID, fmt.Errorf(format, args...))
}

// unavailable gives an error of a session its kind and the name of the source.
func (s *Source) unavailable(err error) error { return s.errorf("%w: %w", core.ErrUnavailable, err) }
