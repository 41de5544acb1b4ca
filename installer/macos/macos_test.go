package macos_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"debug/macho"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var when = time.Date(2026, 11, 22, 6, 7, 8, 0, time.UTC)

const payload = identity.Package + ".pkg/Payload"

// standIn is a file that looks like a program for macOS to whoever reads its header only, and says what it is.
func standIn(cpu macho.Cpu, name string) []byte {
	data := binary.LittleEndian.AppendUint32(nil, macho.Magic64)
	for _, v := range []uint32{uint32(cpu), 0, uint32(macho.TypeExec), 0, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	return append(data, fmt.Sprintf("This stands in for %s on %v in a test. It is no program.\n", name, cpu)...)
}

// input is a release with stand-ins for its programs.
func input(t *testing.T) product.Input {
	t.Helper()
	r, err := product.Parse("1.2.3-rc.1")
	if err != nil {
		t.Fatal(err)
	}
	r.Time = when
	in := product.Input{Release: r, Programs: t.TempDir(), Out: t.TempDir(), Assets: "../../assets", Docs: "../../docs", License: "../../LICENSE", Notices: "../../LICENSE"}
	for arch, cpu := range map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64} {
		for _, name := range []string{"platen", "platen-window", "platen-deploy"} {
			save(t, filepath.Join(in.Programs, arch, name), standIn(cpu, name))
		}
	}
	return in
}

func save(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, in product.Input, o macos.Options) string {
	t.Helper()
	name, err := macos.Build(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// contents are the files of a payload by path.
func contents(t *testing.T, name string) map[string][]byte {
	t.Helper()
	r, err := flatpkg.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := map[string][]byte{}
	if err := r.Walk(payload, func(e flatpkg.Entry, content io.Reader) error {
		data, err := io.ReadAll(content)
		if e.Mode&0o170000 == 0o100000 {
			all["/"+e.Path] = data
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPain8_ThePackageHasWhatAMacNeeds(t *testing.T) {
	in := input(t)
	name := build(t, in, macos.Options{})
	if filepath.Base(name) != "platen-1.2.3-rc.1.pkg" || filepath.Dir(name) != in.Out {
		t.Errorf("the package is %s", name)
	}
	lines, err := macos.List(name)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/package.golden"
	if *update {
		save(t, golden, []byte(got))
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what is in the package (-want +got):\n%s", diff)
	}
	if left, err := os.ReadDir(in.Out); err != nil || len(left) != 1 {
		t.Errorf("beside the package: %v %v", left, err)
	}
}

// Other readers find the same as List: bsdtar and 7z share nothing with it.
func TestOtherReadersFindTheSame(t *testing.T) {
	name := build(t, input(t), macos.Options{})
	tool := func(name, debianPackage string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), testenv.Program(t, name, debianPackage), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	if out := tool("7z", "p7zip-full", "t", "-txar", name); !strings.Contains(out, "Everything is Ok") {
		t.Errorf("7z: %s", out)
	}
	dir := t.TempDir()
	tool("bsdtar", "libarchive-tools", "-xf", name, "-C", dir)
	listed := strings.Split(strings.TrimSpace(tool("bsdtar", "libarchive-tools", "-tf", filepath.Join(dir, filepath.FromSlash(payload)))), "\n")
	var want []string
	lines, err := macos.List(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if _, path, ok := strings.Cut(line, " payload "); ok {
			want = append(want, path)
		}
	}
	for i, path := range listed { // bsdtar ends folders with a slash and begins with a dot
		if listed[i] = strings.TrimSuffix(strings.TrimPrefix(path, "."), "/"); listed[i] == "" {
			listed[i] = "/."
		}
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("bsdtar lists (-List +bsdtar):\n%s", diff)
	}
}

func TestTheSameReleaseIsTheSamePackage(t *testing.T) {
	var sums []string
	for range 2 {
		data, err := os.ReadFile(build(t, input(t), macos.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds: %v", sums)
	}
}

func TestProgramsAreForBothProcessors(t *testing.T) {
	in := input(t)
	all := contents(t, build(t, in, macos.Options{}))
	for path, name := range map[string]string{
		identity.Programs + "/platen":        "platen",
		identity.Programs + "/platen-window": "platen-window",
		identity.DeployTool:                  "platen-deploy",
	} {
		fat, err := macho.NewFatFile(bytes.NewReader(all[path]))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for i, arch := range []string{"amd64", "arm64"} {
			a := fat.Arches[i]
			want, err := os.ReadFile(filepath.Join(in.Programs, arch, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := all[path][a.Offset : a.Offset+a.Size]; !bytes.Equal(got, want) || a.Offset%(1<<a.Align) != 0 {
				t.Errorf("%s for %v: not the program that went in, or not where a page begins (%d)", path, a.Cpu, a.Offset)
			}
		}
		if len(fat.Arches) != 2 {
			t.Errorf("%s has %d parts", path, len(fat.Arches))
		}
	}
}

func TestFoldersOfOtherBuildersAreFoundToo(t *testing.T) {
	in := input(t)
	for _, arch := range []string{"amd64", "arm64"} {
		if err := os.Rename(filepath.Join(in.Programs, arch), filepath.Join(in.Programs, "darwin-"+arch)); err != nil {
			t.Fatal(err)
		}
	}
	build(t, in, macos.Options{})
}

func TestAMissingProgramIsNoPackage(t *testing.T) {
	for _, name := range []string{"platen", "platen-window", "platen-deploy"} {
		in := input(t)
		if err := os.Remove(filepath.Join(in.Programs, "arm64", name)); err != nil {
			t.Fatal(err)
		}
		_, err := macos.Build(t.Context(), in, macos.Options{})
		if !errors.Is(err, product.ErrNoPrograms) || !strings.Contains(err.Error(), name+" for arm64") {
			t.Errorf("without %s: %v", name, err)
		}
		if left, err := os.ReadDir(in.Out); err != nil || len(left) > 0 {
			t.Errorf("without %s there is %v (%v)", name, left, err)
		}
	}
}

func TestWithoutWindowIsSaidInTheName(t *testing.T) {
	in := input(t)
	for _, arch := range []string{"amd64", "arm64"} {
		if err := os.Remove(filepath.Join(in.Programs, arch, "platen-window")); err != nil {
			t.Fatal(err)
		}
	}
	name := build(t, in, macos.Options{WithoutWindow: true})
	if filepath.Base(name) != "platen-1.2.3-rc.1-no-window.pkg" {
		t.Errorf("the package is %s", name)
	}
	all := contents(t, name)
	if all[identity.Programs+"/platen-window"] != nil || all[identity.Programs+"/platen"] == nil {
		t.Error("wrong programs are in the package")
	}
}

func TestOnlyProgramsForMacsAreTaken(t *testing.T) {
	for name, data := range map[string][]byte{
		"a text":                []byte("#!/bin/sh\n"),
		"for another processor": standIn(macho.CpuAmd64, "platen"),
		"a library":             bytes.Replace(standIn(macho.CpuArm64, "platen"), []byte{2, 0, 0, 0, 0, 0, 0, 0}, []byte{6, 0, 0, 0, 0, 0, 0, 0}, 1),
		"nothing":               nil,
	} {
		in := input(t)
		save(t, filepath.Join(in.Programs, "arm64", "platen"), data)
		if _, err := macos.Build(t.Context(), in, macos.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A program that was really built, without cgo: it works, but has no tray icon.
func TestAProgramWithoutCgoNeedsToBeMeant(t *testing.T) {
	in := input(t)
	source := filepath.Join(t.TempDir(), "main.go")
	save(t, source, []byte("package main\n\nfunc main() {}\n"))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(in.Programs, "arm64", "platen"), source)
	cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := macos.Build(t.Context(), in, macos.Options{}); err == nil || !strings.Contains(err.Error(), "no tray icon") {
		t.Errorf("got %v", err)
	}
	build(t, in, macos.Options{WithoutWindow: true})
}

// plists reads property lists with Python's plistlib.
func plists(t *testing.T, all map[string][]byte) map[string]map[string]any {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for path, data := range all {
		if strings.HasSuffix(path, ".plist") {
			name := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
			save(t, name, data)
			names = append(names, name)
		}
	}
	const program = "import json, plistlib, sys\nprint(json.dumps([plistlib.load(open(n, 'rb')) for n in sys.argv[1:]]))"
	out, err := exec.CommandContext(t.Context(), testenv.Program(t, "python3", "python3"), append([]string{"-c", program}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	read := map[string]map[string]any{}
	for i, name := range names {
		read[strings.ReplaceAll(filepath.Base(name), "_", "/")] = list[i]
	}
	return read
}

func TestPain8_PropertyListsSayHowItStarts(t *testing.T) {
	read := plists(t, contents(t, build(t, input(t), macos.Options{})))
	list := func(items ...any) []any { return items }
	for path, want := range map[string]map[string]any{
		identity.AgentPlist: {
			"Label": "org.platenprint.platen", "AssociatedBundleIdentifiers": list("org.platenprint.platen"),
			"ProgramArguments": list("/Applications/Platen.app/Contents/MacOS/platen", "run", "--at-logon"),
			"RunAtLoad":        true, "KeepAlive": map[string]any{"SuccessfulExit": false}, "ThrottleInterval": 30.0,
			"ProcessType": "Interactive", "LimitLoadToSessionType": "Aqua",
		},
		identity.DeployPlist: {
			"Label":            "org.platenprint.deploy",
			"ProgramArguments": list("/Library/Application Support/Platen/bin/platen-deploy", "run-service"),
			"RunAtLoad":        true, "KeepAlive": map[string]any{"SuccessfulExit": false}, "ThrottleInterval": 5.0,
			"ProcessType": "Background", "Umask": 63.0,
		},
		identity.App + "/Contents/Info.plist": {
			"CFBundleDevelopmentRegion": "en", "CFBundleDisplayName": "Platen", "CFBundleExecutable": "platen",
			"CFBundleGetInfoString": "Platen 1.2.3-rc.1", "CFBundleIconFile": "Platen", "CFBundleIdentifier": "org.platenprint.platen",
			"CFBundleInfoDictionaryVersion": "6.0", "CFBundleLocalizations": list("en", "de", "fr", "es"), "CFBundleName": "Platen",
			"CFBundlePackageType": "APPL", "CFBundleShortVersionString": "1.2.3", "CFBundleSupportedPlatforms": list("MacOSX"),
			"CFBundleVersion": "1.2.3", "LSApplicationCategoryType": "public.app-category.utilities", "LSMinimumSystemVersion": "12.0",
			"LSUIElement": true, "NSHighResolutionCapable": true, "NSHumanReadableCopyright": "Platen Project, Apache-2.0",
			"NSLocalNetworkUsageDescription": "Platen speaks to your organisation's print server.",
		},
	} {
		if diff := cmp.Diff(want, read[path]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// What the texts name is where the package puts it, and what profiles are told.
func TestTextsAndIdentifiersAgree(t *testing.T) {
	all := contents(t, build(t, input(t), macos.Options{}))
	read := plists(t, all)
	for _, path := range []string{identity.AgentPlist, identity.DeployPlist} {
		label, _ := read[path]["Label"].(string)
		if !slices.Contains(identity.Labels(), label) || !strings.HasPrefix(label, identity.LabelPrefix) || filepath.Base(path) != label+".plist" {
			t.Errorf("%s has the label %q; identity knows %v", path, label, identity.Labels())
		}
		args, _ := read[path]["ProgramArguments"].([]any)
		if program, _ := args[0].(string); all[program] == nil {
			t.Errorf("%s starts %q, which is not in the package", path, program)
		}
	}
	if got := strings.TrimSpace(string(all[identity.PathsFile])); all[got+"/platen"] == nil {
		t.Errorf("shells look in %q", got)
	}
	for _, path := range []string{identity.Uninstaller, identity.Support + "/platen.conf.default"} {
		if all[path] == nil {
			t.Errorf("%s is not in the package", path)
		}
	}
	if all[identity.Support+"/platen.conf"] != nil || all[identity.InstallerFile] != nil {
		t.Error("the package would replace what it must keep")
	}
}

// The client and the page for administrators mean the same places.
func TestOthersMeanTheSamePlaces(t *testing.T) {
	for got, want := range map[string]string{
		settings.MacInstallerFile: identity.InstallerFile, settings.MacFolder: identity.Support,
		settings.ManagedPreferences: identity.Bundle, settings.ManagedDeployPreferences: identity.Deploy,
	} {
		if got != want {
			t.Errorf("the settings have %s, the package %s", got, want)
		}
	}
	page, err := os.ReadFile("../../docs/deploy/macos.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{
		identity.App, identity.AgentPlist, identity.DeployPlist, identity.DeployTool, identity.Uninstaller, identity.PathsFile,
		identity.Package, identity.LabelPrefix, "macOS " + strings.TrimSuffix(macos.MinOS, ".0") + " and newer",
	} {
		if !strings.Contains(string(page), place) {
			t.Errorf("docs/deploy/macos.md does not name %s", place)
		}
	}
}

func TestTheIconHasEverySize(t *testing.T) {
	data := contents(t, build(t, input(t), macos.Options{}))[identity.App+"/Contents/Resources/Platen.icns"]
	if string(data[:4]) != "icns" || int(binary.BigEndian.Uint32(data[4:])) != len(data) {
		t.Fatal("it is no icns file")
	}
	got := map[string]int{}
	for rest := data[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest[4:])
		shape, err := png.DecodeConfig(bytes.NewReader(rest[8:n]))
		if err != nil {
			t.Fatal(err)
		}
		got[string(rest[:4])] = shape.Width
		rest = rest[n:]
	}
	want := map[string]int{"ic07": 128, "ic08": 256, "ic09": 512, "ic11": 32, "ic12": 64, "ic13": 256, "ic14": 512}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasSignedIsPackedAsItIs(t *testing.T) {
	in, dir := input(t), filepath.Join(t.TempDir(), "staged")
	if err := macos.Stage(t.Context(), in, macos.Options{}, dir); err != nil {
		t.Fatal(err)
	}
	// Signing adds to programs and seals the bundle; no Mac is here, so this stands in for it.
	program := filepath.Join(dir, "Platen.app", "Contents", "MacOS", "platen")
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	save(t, program, append(data, "signature"...))
	save(t, filepath.Join(dir, "Platen.app", "Contents", "_CodeSignature", "CodeResources"), []byte("seal"))
	in.Programs = "/nowhere"
	all := contents(t, build(t, in, macos.Options{Staged: dir}))
	for path, want := range map[string]string{
		identity.Programs + "/platen":                           string(data) + "signature",
		identity.App + "/Contents/_CodeSignature/CodeResources": "seal",
	} {
		if got := string(all[path]); got != want {
			t.Errorf("%s has %d bytes, want %d", path, len(got), len(want))
		}
	}

	for name, spoil := range map[string]func(in *product.Input, dir string){
		"of another version": func(in *product.Input, _ string) { in.Release.Version = "1.2.4" },
		"without a window": func(_ *product.Input, dir string) {
			_ = os.Remove(filepath.Join(dir, "Platen.app", "Contents", "MacOS", "platen-window"))
		},
		"for one processor only": func(_ *product.Input, dir string) {
			save(t, filepath.Join(dir, "platen-deploy"), standIn(macho.CpuArm64, "platen-deploy"))
		},
		"with a link in it": func(_ *product.Input, dir string) {
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "Platen.app", "Contents", "Resources", "x")); err != nil {
				t.Fatal(err)
			}
		},
		"and is missing": func(_ *product.Input, dir string) { _ = os.RemoveAll(dir) },
	} {
		in, dir := input(t), filepath.Join(t.TempDir(), "staged")
		if err := macos.Stage(t.Context(), in, macos.Options{}, dir); err != nil {
			t.Fatal(err)
		}
		spoil(&in, dir)
		if _, err := macos.Build(t.Context(), in, macos.Options{Staged: dir}); err == nil {
			t.Errorf("what was staged %s was packed", name)
		}
	}
}

// failing is a key that does not sign.
type failing struct{ crypto.Signer }

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no card in the reader")
}

func TestAFailedBuildLeavesNoFile(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: when, NotAfter: when.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	in := input(t)
	signer := &flatpkg.Signer{Key: failing{key}, Chain: []*x509.Certificate{certificate}}
	if _, err := macos.Build(t.Context(), in, macos.Options{Signer: signer}); err == nil {
		t.Error("a package was made")
	}
	if left, err := os.ReadDir(in.Out); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
	signer.Key = key
	r, err := flatpkg.Open(build(t, in, macos.Options{Signer: signer}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !r.Signed() {
		t.Error("the package is not signed")
	}
}

func TestWrongInputIsSaid(t *testing.T) {
	for name, spoil := range map[string]func(*product.Input){
		"no license":    func(in *product.Input) { in.License = "/nowhere" },
		"no icons":      func(in *product.Input) { in.Assets = "/nowhere" },
		"no folder out": func(in *product.Input) { in.Out = "/nowhere" },
		"no time":       func(in *product.Input) { in.Release.Time = time.Time{} },
	} {
		in := input(t)
		spoil(&in)
		if _, err := macos.Build(t.Context(), in, macos.Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := macos.List("/nowhere"); err == nil {
		t.Error("a missing package was listed")
	}
}
