package google

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The sizes of pages. Source: Directory API, "users.list", "groups.list", "members.list".
const (
	usualUsers, mostUsers   = 100, 500
	usualGroups, mostGroups = 200, 200
)

// orgUnitQuery is the one search that the emulator knows: orgUnitPath='/Staff', quoted where it has spaces.
var orgUnitQuery = regexp.MustCompile(`^orgUnitPath=(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|(\S+))$`)

var unescape = strings.NewReplacer(`\'`, `'`, `\\`, `\`)

// below tells whether an organisational unit is the other one or stands below it.
func below(path, top string) bool {
	top = strings.TrimSuffix(top, "/")
	return strings.EqualFold(path, top) || len(path) > len(top) && path[len(top)] == '/' && strings.EqualFold(path[:len(top)], top)
}

func (e *Emulator) hasUnit(path string) bool {
	return path == "/" || slices.ContainsFunc(e.dir.OrgUnits, func(u string) bool { return below(u, path) })
}

func (e *Emulator) listUsers(r *http.Request) (object, error) {
	if err := known(r, "customer", "domain", "projection", "customFieldMask", "orderBy", "sortOrder", "query", "showDeleted", "viewType"); err != nil {
		return nil, err
	}
	q := r.URL.Query()
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.Get("customer") == "" && q.Get("domain") == "" {
		return nil, &refusal{status: http.StatusBadRequest, reason: "badRequest", message: "Bad Request"}
	}
	if id := q.Get("customer"); id != "" {
		if err := e.customer(id); err != nil {
			return nil, err
		}
	}
	show, err := e.projection(r)
	if err != nil {
		return nil, err
	}
	if by := q.Get("orderBy"); by != "" && by != "email" {
		return nil, invalid("The emulator sorts by email only.")
	}
	if view := q.Get("viewType"); view != "" && view != "admin_view" {
		return nil, invalid("The emulator knows the view of administrators only.")
	}
	unit := "/"
	if text := q.Get("query"); text != "" {
		m := orgUnitQuery.FindStringSubmatch(text)
		if m == nil {
			return nil, invalid("Invalid Input: query")
		}
		if unit = unescape.Replace(m[1] + m[2] + m[3]); !e.hasUnit(unit) {
			return nil, invalid("Invalid Input: INVALID_OU_ID")
		}
	}
	users := e.dir.Users
	if q.Get("showDeleted") == "true" {
		users = e.deleted
	}
	var rows []User
	for _, u := range users {
		_, domain, _ := strings.Cut(u.Email(), "@")
		if below(u.text("orgUnitPath"), unit) && (q.Get("domain") == "" || strings.EqualFold(domain, q.Get("domain"))) {
			rows = append(rows, u)
		}
	}
	return paged(r, "admin#directory#users", "users", usualUsers, mostUsers, rows, User.Email, show)
}

// projection reads which fields of users are shown.
func (e *Emulator) projection(r *http.Request) (func(User) object, error) {
	q := r.URL.Query()
	var schemas []string
	switch kind := q.Get("projection"); {
	case kind != "custom" && q.Get("customFieldMask") != "":
		return nil, invalid("Invalid Input: custom_field_mask")
	case kind == "" || kind == "basic":
		return func(u User) object {
			shown := maps.Clone(object(u))
			for _, field := range notBasic {
				delete(shown, field)
			}
			return shown
		}, nil
	case kind == "full":
		return func(u User) object { return maps.Clone(object(u)) }, nil
	case kind != "custom":
		return nil, invalid("Invalid value for: %s is not a valid value", kind)
	case q.Get("customFieldMask") == "":
		return nil, invalid("Invalid Input: custom_field_mask")
	}
	for name := range strings.SplitSeq(q.Get("customFieldMask"), ",") {
		if !slices.ContainsFunc(e.dir.Schemas, func(s Schema) bool { return s.Name == name }) {
			return nil, invalid("Invalid Input: custom_field_mask")
		}
		schemas = append(schemas, name)
	}
	return func(u User) object {
		shown := maps.Clone(object(u))
		delete(shown, "customSchemas")
		values, _ := u["customSchemas"].(object)
		masked := object{}
		for _, name := range schemas {
			if v, ok := values[name]; ok {
				masked[name] = v
			}
		}
		if len(masked) > 0 {
			shown["customSchemas"] = masked
		}
		return shown
	}, nil
}

// find returns where a living user is, -1 for nowhere.
func (e *Emulator) find(key string) int {
	return slices.IndexFunc(e.dir.Users, func(u User) bool { return u.is(key) })
}

func (e *Emulator) getUser(r *http.Request) (object, error) {
	if err := known(r, "projection", "customFieldMask", "viewType"); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	show, err := e.projection(r)
	if err != nil {
		return nil, err
	}
	at := e.find(r.PathValue("key"))
	if at < 0 {
		return nil, notFound("userKey")
	}
	return show(e.dir.Users[at]), nil
}
