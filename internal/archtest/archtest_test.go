package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/platenprint/platen/"

// A rule says what the packages below root (a path below the module) must not reach, over any number of steps.
// "std:" marks a package of the standard library; what ends in "/..." stands for everything below, too.
type rule struct {
	root   string
	banned []string
	why    string
}

var rules = []rule{
	{"client", []string{"server-stub/...", "fyne.io/fyne/...", "tray/ui/...", "std:testing", "internal/emulator/..."}, "the resident is small and knows no server"},
	{"client", []string{"printqueue/machine", "printqueue/agent", "printqueue/service", "printqueue/cli", "printqueue/private", "printqueue/statedir"}, "the resident asks the privileged service through printqueue/ipc alone"},
	{"printqueue", []string{"server-stub/...", "tray/...", "client/...", "auth/tokenstore", "auth/microsoft", "auth/browser", "auth/loopback", "fyne.io/...", "assets", "std:testing", "std:plugin", "internal/emulator/..."}, "the privileged service knows no server, no window and nobody's tokens (R-IPC-6)"},
	{"printqueue/residents", []string{"std:net/http", "auth/...", "client/...", "printqueue/machine", "printqueue/agent"}, "whoever ends programs knows nothing of what they do"},
	{"printqueue/ipc", []string{"std:net/http", "std:os/exec", "auth/..."}, "the line is small: it is in the resident, too"},
	{"tray", []string{"server-stub/...", "auth/tokenstore", "auth/osuser", "client/session", "client/apiclient", "client/agent", "printqueue/...", "std:testing", "internal/emulator/..."}, "the window holds no token and calls no server"},
	{"server-stub", []string{"client/...", "tray/...", "printqueue/...", "auth/tokenstore", "auth/osuser", "fyne.io/...", "std:testing", "std:plugin", "internal/emulator/..."}, "desktop and server meet only in internal/api and auth"},
	{"internal/settings", []string{"std:net", "std:net/http", "std:os/exec", "client/...", "server-stub/...", "printqueue/...", "auth", "internal/settings/sources", "internal/api"}, "the table of settings is pure: packages and the server read it, too"},
	{"internal/settings/sources", []string{"client/...", "server-stub/...", "printqueue/...", "tray/...", "auth/...", "std:testing"}, "client and service read settings the same way"},
	{"auth/usermap", []string{"std:net/http", "std:os/exec", "std:database/sql", "auth/osuser", "auth/tokenstore", "client/...", "server-stub/..."}, "the mapping is pure"},
	{"auth/loopback", []string{"auth", "auth/aadsts", "auth/browser", "auth/microsoft", "auth/tokenstore", "client/...", "std:os/exec"}, "the port for the browser's answer knows no provider"},
	{"tray/view", []string{"std:net", "std:net/http", "std:os/exec", "fyne.io/...", "client/ipc"}, "the view model is pure"},
	{"client/session", []string{"std:net/http", "client/apiclient", "auth/tokenstore", "auth/osuser", "client/ipc"}, "the state machine does no I/O"},
	{"server-stub", []string{"internal/settings/sources"}, "the server knows the workstations' settings, and reads none"},
	{"server-stub/core", []string{"std:net", "std:net/http", "std:os/exec", "std:database/sql"}, "the domain is pure"},
	{"server-stub/names", []string{"std:net/http", "std:database/sql", "server-stub/store/..."}, "the resolution is pure"},
	{"server-stub/names/index", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore"}, "use cases know no HTTP and no database product"},
	{"server-stub/names/review", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore", "server-stub/users"}, "a review looks and changes nobody"},
	{"server-stub/groups", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore", "server-stub/dirsync", "server-stub/directory/..."}, "questions about groups go to the store alone"},
	{"server-stub/users", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore", "server-stub/directory/...", "server-stub/httpapi"}, "use cases know no HTTP and no directory product"},
	{"server-stub/credentials", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore", "server-stub/mail", "server-stub/directory/ldap"}, "cards and codes know no HTTP and no mail"},
	{"server-stub/mail", []string{"std:net/http", "std:database/sql", "server-stub/store/sqlstore", "server-stub/credentials", "server-stub/directory/ldap"}, "mail says what it is told"},
	{"server-stub/schedule", []string{"std:net/http", "server-stub/dirsync", "server-stub/store/..."}, "the clock knows when, not what"},
	{"server-stub/scim", []string{"std:database/sql", "server-stub/store/sqlstore", "server-stub/httpapi", "server-stub/users", "server-stub/roles", "server-stub/ledger", "server-stub/sessions"}, "a provider has no say in passwords, roles and money; dirsync writes"},
	{"server-stub/httpapi", []string{"server-stub/store/sqlstore", "server-stub/directory/ldap", "server-stub/directory/csvfile"}, "handlers know no database and no directory product"},
	{"server-stub/admin", []string{"server-stub/store/sqlstore", "server-stub/directory/ldap", "server-stub/directory/entra", "server-stub/directory/google"}, "handlers know no database and no directory product"},
	{"server-stub/dirsync", []string{"std:net/http", "std:database/sql", "server-stub/httpapi", "server-stub/credentials", "server-stub/mail", "server-stub/store/sqlstore"}, "the engine knows no HTTP, no product, and cards and mail only as interfaces"},
	{"server-stub/signin", []string{"std:net/http", "server-stub/httpapi"}, "use cases know no HTTP"},
	{"server-stub/federation", []string{"std:net/http", "server-stub/httpapi", "server-stub/oidc"}, "whose account it is does not depend on how it was proven"},
	{"server-stub/deviceauth", []string{"std:net/http", "server-stub/deviceapi", "server-stub/httpapi"}, "use cases know no HTTP"},
	{"server-stub/codes", []string{"std:net/http", "server-stub/httpapi"}, "use cases know no HTTP"},
	{"server-stub/capabilities", []string{"std:net/http", "server-stub/config", "server-stub/store"}, "the comparison is pure"},
	{"server-stub/web", []string{"server-stub/store/sqlstore", "server-stub/httpapi", "server-stub/directory/ldap"}, "pages know no database and no directory product"},
	{"client", []string{"installer/..."}, "no program has the builder of packages in it"},
	{"printqueue", []string{"installer/..."}, "no program has the builder of packages in it"},
	{"tray", []string{"installer/..."}, "no program has the builder of packages in it"},
	{"server-stub", []string{
		"installer/tool", "installer/programs", "installer/archive", "installer/linux", "installer/msi", "installer/macos", "installer/flatpkg", "installer/winres",
		"installer/sbom", "installer/scan", "installer/sign", "installer/notices",
	}, "the server names packages and sums them up, it builds and signs none"},
	{"installer/flatpkg", []string{"installer/product", "installer/macos/...", "printqueue/...", "client/...", "server-stub/...", "std:net/http", "std:os/exec"}, "the writer of packages for macOS knows nothing of Platen"},
	{"installer/macos", []string{"server-stub/...", "client/...", "tray/...", "std:net/http"}, "the package takes programs as they are"},
	{"installer/macos/identity", []string{"printqueue/...", "installer/flatpkg", "std:net", "std:os/exec"}, "names that anybody may import"},
	{"installer/linux", []string{"client/agent", "tray/...", "fyne.io/...", "server-stub/server", "server-stub/store/sqlstore", "internal/emulator/..."}, "the packages ask the command lines what they can, they run nothing"},
	{"server-stub/deploykit", []string{"std:net/http", "std:os/exec", "server-stub/store/...", "server-stub/admin", "installer/tool", "installer/msi", "installer/linux"}, "a kit is made of what it is given"},
	{"internal/osservice", []string{"std:net/http", "server-stub/...", "client/...", "printqueue/...", "tray/...", "github.com/kardianos/service"}, "what services share knows none of them"},
	{"internal/policy", []string{"std:net/http", "std:os/exec", "server-stub/...", "client/...", "printqueue/..."}, "templates come from the table of settings alone"},
	{"server-stub/deviceapi", []string{"server-stub/store/sqlstore", "server-stub/httpapi"}, "handlers know no database"},
	{"server-stub/service", []string{"server-stub/store/...", "server-stub/admin", "server-stub/server", "github.com/kardianos/service"}, "the service starts a program and knows nothing of what it does"},
	{"server-stub/ledger", []string{"std:net/http", "server-stub/httpapi"}, "use cases know no HTTP"},
	{"server-stub/directory", []string{"server-stub/store/...", "server-stub/dirsync", "std:net/http"}, "sources read; dirsync writes"},
	{"server-stub/directory/configured", []string{"server-stub/store/...", "server-stub/dirsync", "server-stub/users", "std:database/sql"}, "sources read; dirsync writes"}, // it reaches every source
	{"server-stub/directory/directorytest", []string{"server-stub/store/...", "server-stub/dirsync", "server-stub/directory/ldap", "server-stub/directory/entra", "server-stub/directory/google"}, "the suite knows the contract, not the sources"},
}

// Only these may import what stands before them, directly and in any file for any system.
var onlyImporters = map[string][]string{
	"os/exec":                      {"internal/sysexec", "internal/testenv", "internal/stage", "internal/demo", "internal/bench", "internal/e2e", "installer"},
	"fyne.io/fyne":                 {"tray/ui", "tray"},
	"fyne.io/systray":              {"tray/icon"},
	"github.com/kardianos/service": {"printqueue/service"},
	"database/sql":                 {"server-stub/store/sqlstore", "server-stub/store/storetest", "internal/testenv"},
	"modernc.org/sqlite":           {"server-stub/store/sqlstore"},
	"net/smtp":                     {},
	"github.com/wneessen/go-mail":  {"server-stub/mail"},
	"rsc.io/qr":                    {"server-stub/mail"},
	"github.com/go-ldap/ldap":      {"server-stub/directory/ldap", "internal/stage", "internal/e2e", "internal/bench", "internal/testenv"},
	"github.com/chromedp":          {"internal/testenv", "internal/demo"},
	"github.com/jackc":             {"server-stub/store/sqlstore", "server-stub/store/storetest"},
}

// mostModules are what the server's program may be made of. Each one more is a decision, written down in docs/adr/0002-modules.md.
const mostModules = 60

func TestTheServerIsMadeOfFewModules(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", module+"server-stub")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		used := map[string]bool{}
		for path := range strings.FieldsSeq(string(out)) {
			used[path] = true
		}
		if n := len(used); n < 10 || n > mostModules {
			t.Errorf("%s: platen-server is made of %d modules, at most %d are wanted: %v", goos, n, mostModules, slices.Sorted(maps.Keys(used)))
		}
	}
}

// listed is what the Go tool tells about a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	DepOnly    bool
}

func TestProgramsReachOnlyWhatTheyMay(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		deps := map[string][]string{}
		for _, p := range list(t, goos) {
			deps[strings.TrimPrefix(p.ImportPath, module)] = p.Deps
		}
		for _, r := range rules {
			reached, ok := deps[r.root]
			if !ok {
				t.Errorf("%s: there is no package %s; mend the rule", goos, r.root)
			}
			for _, banned := range r.banned {
				for _, d := range reached {
					if matches(d, banned) {
						t.Errorf("%s: %s reaches %s: %s", goos, r.root, strings.TrimPrefix(d, module), r.why)
					}
				}
			}
		}
	}
}

func TestOnlyTheirRoomImports(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		for _, p := range list(t, goos) {
			room := strings.TrimPrefix(p.ImportPath, module)
			for _, imported := range p.Imports {
				for pkg, allowed := range onlyImporters {
					if (imported == pkg || strings.HasPrefix(imported, pkg+"/")) &&
						!slices.ContainsFunc(allowed, func(a string) bool { return room == a || strings.HasPrefix(room, a+"/") }) {
						t.Errorf("%s: %s imports %s; only %v may", goos, room, imported, allowed)
					}
				}
			}
		}
	}
}

func TestServerFolderHasOnlyMain(t *testing.T) {
	files, err := filepath.Glob("../../server-stub/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if base := filepath.Base(f); base != "main.go" && !strings.HasSuffix(base, "_test.go") {
			t.Errorf("server-stub/%s: library code lives in a folder below; here is only main.go", base)
		}
	}
	err = filepath.WalkDir("../../server-stub", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "../../server-stub" && strings.ContainsAny(d.Name(), "-_") && !strings.Contains(path, "testdata") {
			t.Errorf("%s: no hyphen or underscore in a folder's name below server-stub", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// matches tells whether the import path dep is what banned names.
func matches(dep, banned string) bool {
	if std, ok := strings.CutPrefix(banned, "std:"); ok {
		return dep == std
	}
	below, all := strings.CutSuffix(banned, "/...")
	if !strings.Contains(strings.SplitN(below, "/", 2)[0], ".") {
		below = module + below
	}
	return dep == below || all && strings.HasPrefix(dep, below+"/")
}

// list asks for every package of the module as goos sees it, without cgo: -e keeps packages that need cgo in the list,
// with their imports.
func list(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,Deps,DepOnly", module+"...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v", goos, err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list for %s found only %d packages", goos, len(all))
	}
	return all
}
