package sbom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/sums"
	"github.com/platenprint/platen/internal/testenv"
)

var release = product.Release{Version: "1.2.3", Time: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}

// program is built once: a small program of the tree with modules of others in it.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sbom")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gen")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/platenprint/platen/assets/gen")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// artefact is a file, and the program that is in it.
func artefact(t *testing.T) (path string, programs []string) {
	t.Helper()
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "platen-1.2.3-x64.msi")
	if err := os.WriteFile(path, []byte("stand-in"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, []string{self}
}

func write(t *testing.T, licences map[string]string) ([]byte, *cdx.BOM) {
	t.Helper()
	path, programs := artefact(t)
	out, err := Write(path, programs, licences, release)
	if err != nil {
		t.Fatal(err)
	}
	if out != path+".cdx.json" {
		t.Errorf("written to %s", out)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	return text, &bom
}

// A package URL of a Go module, with its version: https://github.com/package-url/purl-spec.
var golangURL = regexp.MustCompile(`^pkg:golang/[A-Za-z0-9._~/-]+@(v\d+\.\d+\.\d+[A-Za-z0-9.%-]*|\d+\.\d+(\.\d+)?[A-Za-z0-9.-]*)$`)

func TestTheListNamesEveryModuleOfTheProgram(t *testing.T) {
	_, bom := write(t, map[string]string{"golang.org/x/image": "BSD-3-Clause"})
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.SerialNumber != "" || bom.Metadata.Timestamp != "2026-11-22T08:30:00Z" {
		t.Errorf("head: %v %q %s", bom.SpecVersion, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	path, _ := artefact(t)
	sum, err := sums.File(path)
	if err != nil {
		t.Fatal(err)
	}
	if c := bom.Metadata.Component; c.Name != "platen-1.2.3-x64.msi" || c.Version != "1.2.3" || (*c.Hashes)[0].Value != sum {
		t.Errorf("artefact: %+v", c)
	}
	// The Go tool reads the same program.
	_, programsOf := artefact(t)
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", programsOf[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(f[1], "go1."):
			want["std"] = strings.TrimPrefix(f[1], "go")
		case f[0] == "dep":
			want[f[1]] = f[2]
		}
	}
	if len(want) < 4 {
		t.Fatalf("the program has too few modules to tell anything: %v", want)
	}
	got := map[string]string{}
	programs := 0
	for _, c := range *bom.Components {
		if !golangURL.MatchString(c.PackageURL) {
			t.Errorf("%s: package URL %q", c.Name, c.PackageURL)
		}
		if c.Type == cdx.ComponentTypeApplication {
			programs++
			continue
		}
		got[c.Name] = c.Version
		if c.Name == "golang.org/x/image" && (*c.Licenses)[0].License.ID != "BSD-3-Clause" {
			t.Errorf("licence of x/image: %v", *c.Licenses)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || programs != 1 {
		t.Errorf("%d programs, modules (-want +got):\n%s", programs, diff)
	}
}

func TestWhatNeedsWhatIsWhole(t *testing.T) {
	_, bom := write(t, nil)
	known := []string{bom.Metadata.Component.BOMRef}
	for _, c := range *bom.Components {
		known = append(known, c.BOMRef)
	}
	for _, d := range *bom.Dependencies {
		if !slices.Contains(known, d.Ref) {
			t.Errorf("%s is no component", d.Ref)
		}
		if d.Dependencies == nil {
			continue
		}
		for _, ref := range *d.Dependencies {
			if !slices.Contains(known, ref) {
				t.Errorf("%s needs %s, which is no component", d.Ref, ref)
			}
		}
	}
	if len(*bom.Dependencies) != len(known) {
		t.Errorf("%d of %d components are in the tree", len(*bom.Dependencies), len(known))
	}
}

func TestTheSameProgramsGiveTheSameBytes(t *testing.T) {
	first, _ := write(t, nil)
	second, _ := write(t, nil)
	if !bytes.Equal(first, second) {
		t.Error("two lists differ")
	}
	if bytes.Contains(first, []byte(os.TempDir())) {
		t.Error("a path of this machine is in it")
	}
}

func TestTheListIsWhatTheSchemaOfCycloneDXWants(t *testing.T) {
	const python = "/usr/bin/python3" // with Debian's python3-jsonschema
	if err := exec.CommandContext(t.Context(), python, "-c", "import jsonschema").Run(); err != nil {
		if os.Getenv(testenv.RequireAll) == "1" {
			t.Fatal("python3-jsonschema: ", err)
		}
		t.Skip("missing: python3-jsonschema")
	}
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	const script = `
import json, sys, os, jsonschema
d = os.path.join(sys.argv[1], "schema")
load = lambda n: json.load(open(os.path.join(d, n)))
schema = load("bom-1.6.schema.json")
base = schema["$id"].rsplit("/", 1)[0] + "/"
store = {base + "spdx.schema.json": load("spdx.schema.json"), base + "jsf-0.82.schema.json": load("jsf-0.82.schemax.json")}
v = jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver(schema["$id"], schema, store), format_checker=jsonschema.FormatChecker())
errors = list(v.iter_errors(json.load(sys.stdin)))
print([e.message for e in errors])
sys.exit(1 if errors else 0)
`
	valid := func(text []byte) (string, error) {
		cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", script, strings.TrimSpace(string(dir)))
		cmd.Stdin = bytes.NewReader(text)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	text, _ := write(t, map[string]string{"golang.org/x/image": "BSD-3-Clause"})
	if out, err := valid(text); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := valid(bytes.Replace(text, []byte(`"id": "BSD-3-Clause"`), []byte(`"id": "BSD-Three"`), 1)); err == nil || !strings.Contains(out, "BSD-Three") {
		t.Errorf("the schema has nothing against an unknown licence: %v\n%s", err, out)
	}
}

func TestLicencesAreKnownByTheirText(t *testing.T) {
	modules := map[string]string{"github.com/google/go-cmp": "", "github.com/spf13/cobra": "", "github.com/godbus/dbus/v5": "", "pgregory.net/rapid": "", "github.com/CycloneDX/cyclonedx-go": ""}
	got, err := Licences(t.Context(), "go", ".", modules)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"github.com/google/go-cmp": "BSD-3-Clause", "github.com/spf13/cobra": "Apache-2.0", "github.com/godbus/dbus/v5": "BSD-2-Clause", "pgregory.net/rapid": "MPL-2.0",
		"github.com/CycloneDX/cyclonedx-go": "Apache-2.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if id := Classify("All rights reserved. Do not copy."); id != "" {
		t.Errorf("no licence is taken for %s", id)
	}
}

func TestAFileThatIsNoGoProgramIsRefused(t *testing.T) {
	path, _ := artefact(t)
	if _, err := Write(path, []string{path}, nil, release); err == nil {
		t.Error("it was listed")
	}
	if _, err := os.Stat(path + Ending); err == nil {
		t.Error("a list was left behind")
	}
}
