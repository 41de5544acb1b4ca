package flatpkg_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var when = time.Date(2026, 11, 22, 6, 7, 8, 0, time.UTC)

// sample is a small package with everything in it.
func sample(files ...flatpkg.File) flatpkg.Package {
	return flatpkg.Package{
		Identifier: "org.example.thing", Version: "1.2.3-rc.1", Title: "A <thing> & more", MinOS: "12.0",
		Architectures: []string{"arm64", "x86_64"}, Files: files, Time: when,
		Bundles:     []flatpkg.Bundle{{Path: "Applications/Thing.app", ID: "org.example.thing", Version: "1.2.3"}},
		Preinstall:  []byte("#!/bin/sh\nexit 0\n"),
		Postinstall: []byte("#!/bin/sh\necho done\n"),
	}
}

func someFiles() []flatpkg.File {
	return []flatpkg.File{
		flatpkg.Bytes("Library/Application Support/Thing/bin/tool", 0o755, bytes.Repeat([]byte("tool \x00\xff"), 40_000)),
		flatpkg.Bytes("Applications/Thing.app/Contents/Info.plist", 0o644, []byte("<plist/>\n")),
		flatpkg.Bytes("Applications/Thing.app/Contents/MacOS/thing", 0o755, []byte("program")),
		flatpkg.Bytes("Applications/Thing.app/Contents/empty", 0o644, nil),
		flatpkg.Bytes("Applications/Thing.app/Contents/Übersicht", 0o644, []byte("ü")),
		flatpkg.Dir("Applications", 0o775, 80),
	}
}

func write(t *testing.T, p flatpkg.Package, o flatpkg.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := flatpkg.Write(t.Context(), &out, p, o); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "thing.pkg")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// run starts a program of the system and returns what it writes.
func run(t *testing.T, debianPackage, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, name, debianPackage), args...)
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s\n%s", name, args, err, out, stderr.Bytes())
	}
	return string(out)
}

// unpacked is what the independent reader of testdata makes of a package.
type unpacked struct {
	Dir          string `json:"-"`
	Files        []string
	Owners       []string
	Created      string
	Certificates int
}

func unpack(t *testing.T, name string) unpacked {
	t.Helper()
	u := unpacked{Dir: t.TempDir()}
	if err := json.Unmarshal([]byte(run(t, "python3", "python3", "testdata/readxar.py", name, u.Dir)), &u); err != nil {
		t.Fatal(err)
	}
	return u
}

type bill struct {
	Paths []struct {
		Path, Mode, Owner string
		Mtime, Size       int64
		Cksum             uint32
	}
	Leaves, Hardlinks, Virtual int
	Names                      []string
	BomInfo                    []int64
}

func readBill(t *testing.T, name string) bill {
	t.Helper()
	var b bill
	if err := json.Unmarshal([]byte(run(t, "python3", "python3", "testdata/readbom.py", name)), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOtherReadersTakeThePackageApart(t *testing.T) {
	files := someFiles()
	name := write(t, sample(files...), flatpkg.Options{})
	if out := run(t, "p7zip-full", "7z", "t", "-txar", name); !strings.Contains(out, "Everything is Ok") {
		t.Errorf("7z: %s", out)
	}
	listed := strings.Split(strings.TrimSpace(run(t, "libarchive-tools", "bsdtar", "-tf", name)), "\n")
	slices.Sort(listed)
	want := []string{
		"Distribution", "org.example.thing.pkg", "org.example.thing.pkg/Bom", "org.example.thing.pkg/PackageInfo",
		"org.example.thing.pkg/Payload", "org.example.thing.pkg/Scripts",
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("bsdtar lists (-want +got):\n%s", diff)
	}

	// Everything out with bsdtar, then the payload with cpio: the same bytes, modes and times.
	dir := t.TempDir()
	run(t, "libarchive-tools", "bsdtar", "-xf", name, "-C", dir)
	payload := filepath.Join(dir, "payload.cpio")
	gunzip(t, filepath.Join(dir, "org.example.thing.pkg", "Payload"), payload)
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	cpio(t, payload, root)
	compareTree(t, root, files)

	again := t.TempDir() // bsdtar reads the payload as it is
	run(t, "libarchive-tools", "bsdtar", "-xf", filepath.Join(dir, "org.example.thing.pkg", "Payload"), "-C", again)
	compareTree(t, again, files)
}

func gunzip(t *testing.T, from, to string) {
	t.Helper()
	out := run(t, "gzip", "gzip", "-dc", from)
	if err := os.WriteFile(to, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

func cpio(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, "cpio", "cpio"), "-idm", "--no-absolute-filenames", "--quiet")
	cmd.Dir, cmd.Stdin = dir, f
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("cpio: %v %s", err, out)
	}
}

func compareTree(t *testing.T, root string, files []flatpkg.File) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(root, f.Path)
		info, err := os.Lstat(path)
		if err != nil {
			t.Error(err)
			continue
		}
		// Not every reader sets the time of a folder after what is in it.
		if info.Mode() != f.Mode || !f.Mode.IsDir() && !info.ModTime().Equal(when) {
			t.Errorf("%s: mode %v of %v, want %v of %v", f.Path, info.Mode(), info.ModTime(), f.Mode, when)
		}
		if f.Mode.IsDir() {
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want the %d that went in", f.Path, len(got), len(want))
		}
	}
}

func TestTheBillOfMaterialsSaysWhatIsInstalled(t *testing.T) {
	u := unpack(t, write(t, sample(someFiles()...), flatpkg.Options{}))
	b := readBill(t, filepath.Join(u.Dir, "org.example.thing.pkg", "Bom"))
	var got []string
	for _, p := range b.Paths {
		got = append(got, fmt.Sprintf("%s %s %s %d", p.Path, p.Mode, p.Owner, p.Size))
		if p.Mtime != when.Unix() {
			t.Errorf("%s is of %d", p.Path, p.Mtime)
		}
	}
	want := []string{
		". 40755 0/0 0",
		"./Applications 40775 0/80 0",
		"./Library 40755 0/0 0",
		"./Applications/Thing.app 40755 0/0 0",
		"./Library/Application Support 40755 0/0 0",
		"./Applications/Thing.app/Contents 40755 0/0 0",
		"./Library/Application Support/Thing 40755 0/0 0",
		"./Applications/Thing.app/Contents/Info.plist 100644 0/0 9",
		"./Applications/Thing.app/Contents/MacOS 40755 0/0 0",
		"./Applications/Thing.app/Contents/empty 100644 0/0 0",
		"./Applications/Thing.app/Contents/Übersicht 100644 0/0 2",
		"./Library/Application Support/Thing/bin 40755 0/0 0",
		"./Applications/Thing.app/Contents/MacOS/thing 100755 0/0 7",
		"./Library/Application Support/Thing/bin/tool 100755 0/0 280000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the bill (-want +got):\n%s", diff)
	}
	if want := []int64{1, 15, 1, 0, 280018}; !slices.Equal(b.BomInfo, want) || b.Leaves != 1 || b.Hardlinks != 0 || b.Virtual != 0 {
		t.Errorf("info %v (want %v), %d leaves, %d hard links, %d virtual paths", b.BomInfo, want, b.Leaves, b.Hardlinks, b.Virtual)
	}

	// The checksums are those of cksum(1).
	root := t.TempDir()
	run(t, "libarchive-tools", "bsdtar", "-xf", filepath.Join(u.Dir, "org.example.thing.pkg", "Payload"), "-C", root)
	for _, p := range b.Paths {
		if strings.HasPrefix(p.Mode, "4") {
			continue
		}
		sum, _, _ := strings.Cut(run(t, "coreutils", "cksum", filepath.Join(root, p.Path)), " ")
		if sum != strconv.FormatUint(uint64(p.Cksum), 10) {
			t.Errorf("%s: checksum %d, cksum says %s", p.Path, p.Cksum, sum)
		}
	}
}

func TestAThousandFilesNeedMoreThanOneLeaf(t *testing.T) {
	var files []flatpkg.File
	for i := range 1000 {
		files = append(files, flatpkg.Bytes(fmt.Sprintf("opt/thing/%02d/file %d", i%37, i), 0o644, fmt.Appendf(nil, "content of %d", i)))
	}
	u := unpack(t, write(t, sample(files...), flatpkg.Options{}))
	b := readBill(t, filepath.Join(u.Dir, "org.example.thing.pkg", "Bom"))
	if b.Leaves < 2 || len(b.Paths) != 1000+37+3 {
		t.Errorf("%d paths in %d leaves", len(b.Paths), b.Leaves)
	}
	inBill := map[string]bool{}
	for _, p := range b.Paths {
		inBill[p.Path] = true
	}
	for _, f := range files {
		if !inBill["./"+f.Path] {
			t.Errorf("%s is not in the bill", f.Path)
		}
	}
	root := t.TempDir()
	run(t, "libarchive-tools", "bsdtar", "-xf", filepath.Join(u.Dir, "org.example.thing.pkg", "Payload"), "-C", root)
	compareTree(t, root, files)
}

func TestThePackageSaysHowItIsInstalled(t *testing.T) {
	u := unpack(t, write(t, sample(someFiles()...), flatpkg.Options{}))
	var info struct {
		XMLName xml.Name   `xml:"pkg-info"`
		Attrs   []xml.Attr `xml:",any,attr"`
		Payload struct {
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"payload"`
		Bundle struct {
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"bundle"`
		Upgrade struct {
			ID string `xml:"id,attr"`
		} `xml:"upgrade-bundle>bundle"`
		Versions []string `xml:"bundle-version>bundle"`
		Relocate []string `xml:"relocate>bundle"`
		Pre      struct {
			File string `xml:"file,attr"`
		} `xml:"scripts>preinstall"`
		Post struct {
			File string `xml:"file,attr"`
		} `xml:"scripts>postinstall"`
	}
	readXML(t, filepath.Join(u.Dir, "org.example.thing.pkg", "PackageInfo"), &info)
	for attrs, want := range map[*[]xml.Attr]string{
		&info.Attrs: "overwrite-permissions=false relocatable=false identifier=org.example.thing postinstall-action=none " +
			"version=1.2.3-rc.1 format-version=2 install-location=/ auth=root",
		&info.Payload.Attrs: "numberOfFiles=14 installKBytes=277",
		&info.Bundle.Attrs:  "path=./Applications/Thing.app id=org.example.thing CFBundleShortVersionString=1.2.3 CFBundleVersion=1.2.3",
	} {
		var got []string
		for _, a := range *attrs {
			got = append(got, a.Name.Local+"="+a.Value)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Error(diff)
		}
	}
	if info.Upgrade.ID != "org.example.thing" || info.Versions != nil || info.Relocate != nil {
		t.Errorf("bundles: upgrade %q, by version %v, relocated %v", info.Upgrade.ID, info.Versions, info.Relocate)
	}
	if info.Pre.File != "./preinstall" || info.Post.File != "./postinstall" {
		t.Errorf("scripts: %q, %q", info.Pre.File, info.Post.File)
	}

	text, err := os.ReadFile(filepath.Join(u.Dir, "Distribution"))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/Distribution.golden"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("Distribution (-want +got):\n%s", diff)
	}
	scripts := t.TempDir()
	run(t, "libarchive-tools", "bsdtar", "-xf", filepath.Join(u.Dir, "org.example.thing.pkg", "Scripts"), "-C", scripts)
	compareTree(t, scripts, []flatpkg.File{
		flatpkg.Bytes("preinstall", 0o755, sample().Preinstall), flatpkg.Bytes("postinstall", 0o755, sample().Postinstall),
	})
	if want := []string{"root:wheel 0/0 2026-11-22T06:07:08Z"}; !slices.Equal(u.Owners, want) || u.Created != "2026-11-22T06:07:08" {
		t.Errorf("owners %v, made %s", u.Owners, u.Created)
	}
}

func readXML(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

func TestTheSamePackageIsTheSameBytes(t *testing.T) {
	signer := testSigner(t)
	for _, o := range []flatpkg.Options{{}, {Signer: signer}, {Digest: flatpkg.SHA256}} {
		var sums []string
		for i := range 2 {
			files := someFiles()
			if i == 1 {
				slices.Reverse(files)
			}
			var out bytes.Buffer
			p := sample(files...)
			p.Time = p.Time.In(time.FixedZone("elsewhere", i*3600))
			if err := flatpkg.Write(t.Context(), &out, p, flatpkg.Options{Signer: o.Signer, Digest: o.Digest, TempDir: t.TempDir()}); err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(out.Bytes())
			sums = append(sums, hex.EncodeToString(sum[:]))
		}
		if sums[0] != sums[1] {
			t.Errorf("%+v: %v", o, sums)
		}
	}
}

func TestAPackageWithoutScriptsHasNone(t *testing.T) {
	p := sample(someFiles()...)
	p.Preinstall, p.Postinstall = nil, nil
	u := unpack(t, write(t, p, flatpkg.Options{}))
	if slices.Contains(u.Files, "org.example.thing.pkg/Scripts") {
		t.Error("there is an archive of scripts")
	}
}

func TestHostileInputIsRefused(t *testing.T) {
	file := func(path string) flatpkg.File { return flatpkg.Bytes(path, 0o644, []byte("x")) }
	for name, files := range map[string][]flatpkg.File{
		"no name":                     {file("")},
		"dot":                         {file(".")},
		"absolute":                    {file("/etc/passwd")},
		"parent":                      {file("../etc/passwd")},
		"parent in the middle":        {file("a/../../etc/passwd")},
		"parent at the end":           {file("a/..")},
		"dot in the middle":           {file("a/./b")},
		"doubled slash":               {file("a//b")},
		"slash at the end":            {file("a/")},
		"NUL":                         {file("a\x00b")},
		"line":                        {file("a\nb")},
		"not UTF-8":                   {file("a\xff")},
		"attributes of another":       {file("a/._b")},
		"the end of cpio":             {file("TRAILER!!!")},
		"long name":                   {file(strings.Repeat("a", 256))},
		"long path":                   {file(strings.Repeat("abcdefg/", 126) + "a")},
		"twice":                       {file("a"), file("a")},
		"differs in case only":        {file("a/B"), file("a/b")},
		"folders that differ in case": {file("A/x"), file("a/y")},
		"below a file":                {file("a"), file("a/b")},
		"set-user-id":                 {flatpkg.Bytes("a", 0o755|fs.ModeSetuid, nil)},
		"link":                        {flatpkg.Bytes("a", 0o755|fs.ModeSymlink, nil)},
		"writable by everybody":       {flatpkg.Bytes("a", 0o666, nil)},
		"device":                      {flatpkg.Bytes("a", 0o600|fs.ModeDevice, nil)},
		"no content":                  {{Path: "a", Mode: 0o644}},
		"folder with content":         {flatpkg.Bytes("a", 0o755|fs.ModeDir, []byte("x"))},
		"group":                       {{Path: "a", Mode: fs.ModeDir | 0o755, GID: -1}},
		"size":                        {{Path: "a", Mode: 0o644, Size: 1 << 33, Open: file("a").Open}},
		"shorter than it said":        {{Path: "a", Mode: 0o644, Size: 2, Open: file("a").Open}},
		"longer than it said":         {{Path: "a", Mode: 0o644, Size: 0, Open: file("a").Open}},
		"cannot be opened":            {{Path: "a", Mode: 0o644, Open: func() (io.ReadCloser, error) { return nil, fs.ErrNotExist }}},
	} {
		if err := flatpkg.Write(t.Context(), io.Discard, sample(files...), flatpkg.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for name, change := range map[string]func(*flatpkg.Package){
		"identifier":       func(p *flatpkg.Package) { p.Identifier = "../thing" },
		"identifier alone": func(p *flatpkg.Package) { p.Identifier = "thing" },
		"version":          func(p *flatpkg.Package) { p.Version = `1"/>` },
		"location":         func(p *flatpkg.Package) { p.InstallLocation = "opt" },
		"location up":      func(p *flatpkg.Package) { p.InstallLocation = "/opt/../etc" },
		"macOS":            func(p *flatpkg.Package) { p.MinOS = "new" },
		"architecture":     func(p *flatpkg.Package) { p.Architectures = []string{"arm64,x"} },
		"before 1970":      func(p *flatpkg.Package) { p.Time = time.Time{} },
		"after 2106":       func(p *flatpkg.Package) { p.Time = time.Unix(1<<32, 0) },
		"bundle":           func(p *flatpkg.Package) { p.Bundles[0].Path = "/x" },
		"bundle's version": func(p *flatpkg.Package) { p.Bundles[0].Version = "1.2-rc" },
	} {
		p := sample(file("a"))
		change(&p)
		if err := flatpkg.Write(t.Context(), io.Discard, p, flatpkg.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestOnlyRegularFilesAreTakenFromTheDisk(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{link, dir, filepath.Join(dir, "missing")} {
		if _, err := flatpkg.Disk("a", 0o644, source); err == nil {
			t.Errorf("%s was taken", source)
		}
	}
}

// zeros are n bytes that nobody holds.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.n))
	clear(p[:n])
	z.n -= int64(n)
	return n, nil
}

func (*zeros) Close() error { return nil }

func TestLargeFilesAreNotHeldInMemory(t *testing.T) {
	const size = 24 << 20
	large := flatpkg.File{Path: "large", Mode: 0o644, Size: size, Open: func() (io.ReadCloser, error) { return &zeros{size}, nil }}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := flatpkg.Write(t.Context(), io.Discard, sample(large), flatpkg.Options{TempDir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size/4 {
		t.Errorf("%d MB were allocated for a file of %d MB", used>>20, size>>20)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	failing := errors.New("the disk is full")
	for _, w := range []io.Writer{io.Discard, writerFunc(func([]byte) (int, error) { return 0, failing })} {
		err := flatpkg.Write(t.Context(), w, sample(someFiles()...), flatpkg.Options{TempDir: dir})
		if w != io.Discard && !errors.Is(err, failing) {
			t.Errorf("got %v", err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := flatpkg.Write(ended, io.Discard, sample(someFiles()...), flatpkg.Options{TempDir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := flatpkg.Write(t.Context(), io.Discard, sample(), flatpkg.Options{TempDir: filepath.Join(dir, "missing")}); err == nil {
		t.Error("a missing folder for temporary files was no error")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
