package scan

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/internal/testenv"
)

// text is n characters of those in base64url, as our tokens are. They look drawn, and are the same in every run.
func text(t *testing.T, n int) string {
	t.Helper()
	sum := sha512.Sum512([]byte("a token"))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:n]
}

func privateKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func found(t *testing.T, s *Scanner, path string) []Finding {
	t.Helper()
	f, err := s.Scan(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// need skips, or fails, without the programs of other formats.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv(testenv.RequireAll) == "1" {
				t.Fatal(err)
			}
			t.Skip("missing: " + p)
		}
	}
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func TestR_SECRET_1_EveryKindOfSecretIsFound(t *testing.T) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	key := privateKey(t)
	secrets := map[string]string{
		"private key":           key,
		"private key, old":      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + strings.Repeat("MIIEpAIBAAKCAQEA", 4),
		"private key, in JSON":  `{"private_key": "` + strings.ReplaceAll(key, "\n", `\n`) + `"}`,
		"private key, Windows":  strings.ReplaceAll(key, "\n", "\r\n"),
		"PuTTY key":             "PuTTY-User-Key-File-3: ssh-ed25519\n",
		"minisign key":          "untrusted comment: minisign encrypted secret key\nRWRTY0Iy" + strings.Repeat("aB3/", 50),
		"access token":          "plt_a_" + text(t, 43),
		"refresh token":         "plt_r_abcdefghijklmnopqrstuvwxyz_" + text(t, 43),
		"web session":           "plt_w_" + text(t, 43),
		"code":                  "plt_c_" + text(t, 43),
		"enrolment token":       "plt_e_k5m2xq7vj3wz4tb6nrh2ydcgap",
		"SCIM token":            "pp_scim_" + text(t, 43),
		"master key":            "platen-master-key-1 " + base64.StdEncoding.EncodeToString(raw) + " 01020304",
		"password hash":         "$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
		"password hash, bcrypt": "$2b$12$" + strings.Repeat("abcdefghijk", 5)[:53],
		"AWS key":               "AKIA" + strings.Repeat("ABCD", 4),
		"GitHub token":          "ghp_" + strings.Repeat("aB3d", 9),
		"GitLab token":          "glpat-" + text(t, 20),
		"Slack token":           "xoxb-123456789012-abcdefghijkl",
		"Google key":            "AIza" + strings.Repeat("aB3d5", 7),
		"Entra secret":          "abc8Q~" + strings.Repeat("aB3d", 8),
		"JSON web token":        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + strings.Repeat("aB3d", 10),
	}
	s := New(nil)
	for name, secret := range secrets {
		rule, _, _ := strings.Cut(name, ",")
		wide := make([]byte, 0, 2*len(secret))
		for _, u := range utf16.Encode([]rune(secret)) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		for where, data := range map[string][]byte{
			"text":      []byte("[settings]\n# a line\nvalue = " + secret + "\n"),
			"a program": slices.Concat([]byte("\x7fELF\x00\x01\x02\xff\x00"), []byte(secret), []byte("\x00\xfe\x00")),
			"UTF-16":    slices.Concat([]byte("MZ\x00\x00\xff\xfe"), wide, []byte("\x00\x00\x01")),
		} {
			got := found(t, s, file(t, "f", data))
			if !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == rule }) {
				t.Errorf("%s in %s: not found, only %v", name, where, got)
			}
			for _, f := range got {
				if strings.Contains(fmt.Sprint(f), secret) {
					t.Errorf("%s: the finding shows the secret: %v", name, f)
				}
			}
		}
	}
}

// What is drawn at random may look like anything, so some are missed: one in some thousand, or in a hundred for the shortest.
func TestRandomStringsAreFound(t *testing.T) {
	s := New(nil)
	missed := map[string]int{}
	const tries = 500
	for range tries {
		raw := make([]byte, 32)
		if _, err := rand.Read(raw); err != nil {
			t.Fatal(err)
		}
		for form, data := range map[string]string{
			"base64":    "password: " + base64.StdEncoding.EncodeToString(raw) + "\n",
			"base64url": "password: " + base64.RawURLEncoding.EncodeToString(raw) + "\n",
			"hex":       "password: " + hex.EncodeToString(raw) + "\n",
			"token":     "\x00plt_a_" + base64.RawURLEncoding.EncodeToString(raw) + "%s: no such file",
			"refresh":   "\x00plt_r_k5m2xq7vj3wz4tb6nrh2ydcgap_" + base64.RawURLEncoding.EncodeToString(raw) + "%s: no such file",
			"enrolment": "\x00plt_e_" + strings.ToLower(rand.Text()) + "%s: no such file",
		} {
			if len(s.look("f", []byte(data))) == 0 {
				missed[form]++
			}
		}
	}
	for form, n := range missed {
		if n > 5 && form != "enrolment" || n > 25 {
			t.Errorf("%s: %d of %d were not found", form, n, tries)
		}
	}
}

// In a program of Go one text begins where the one before ends.
func TestWhatFollowsAPrefixInAProgramIsNoToken(t *testing.T) {
	s := New(nil)
	for _, text := range []string{
		"plt_e_netdnsgoresolverloopbackinterfacehttpsdeflate", "plt_e_aaaaaaaaaaaaaaaaaaaaaaaaaaplatform", "plt_c_nobodyknowsEntityTooLargeapplicationx509ed25519CertificateVerify",
		"plt_a_plt_r_plt_w_unknownErrorStatusCodeServerHelloDone", "pp_scim_schemasurnietfparamsscimapimessages20ListResponsetotalResults",
		"plt_r_sessionRevokedAtIsZeroAccessExpiresRefreshExpiresHTTP2",
	} {
		if got := s.look("f", []byte("\x00\x01"+text+"\x00")); len(got) != 0 {
			t.Errorf("%s: found %v", text, got)
		}
	}
}

func TestOrdinaryTextsAreLeftAlone(t *testing.T) {
	ordinary := `
/usr/share/doc/platen/changelog.Debian.gz /usr/lib/systemd/system/platen-deploy.service /Library/Application Support/Platen/bin
SystemCallFilter=@system-service RestrictAddressFamilies=AF_UNIX CapabilityBoundingSet=CAP_DAC_READ_SEARCH ProtectKernelTunables=yes
{9D0A4C3E-6B0F-4C53-8E0B-6C1B3F8C5A20} 3F2C8A52-5C0B-4B0C-9F55-0B7A9D7C1E11 2026-11-22T08:30:00Z 0000000000000000000000000000000000000000
WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED InstallExecuteSequence MsiServiceConfigFailureActions S-1-5-21-3623811015-3361044348-30300820-1013
--------------------------------------------------------------- ================================================ AAAAAAAAAAAAAAAAAAAAAAAAAAAA
-----BEGIN CERTIFICATE----- -----BEGIN PUBLIC KEY----- -----BEGIN PRIVATE KEY----- plt_a_ pp_scim_ $argon2id$v=19$ plt_e_... AKIA
https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsystemmetrics?redirectedfrom=MSDN org.freedesktop.secrets.Collection1
shellCompDirectiveFilterFileExt=8 local shellCompDirectiveNoFileComp=4 shellCompDirectiveFilterDirs=16
ApplicationProtocolNegotiationHTTP2ALPNProtocolsX509v3SubjectAlternativeName`
	if got := found(t, New(nil), file(t, "f", []byte(ordinary))); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	row := []byte("regAB141979B5F34A6FB2C33A8D3E1D5C77\t2\tSoftware\\Platen\n")
	if got := found(t, New(nil), file(t, "Registry.idt", row)); len(got) != 0 {
		t.Errorf("found in a table of an MSI: %v", got)
	}
	if got := found(t, New(nil), file(t, "registry.txt", row)); len(got) != 1 {
		t.Errorf("found elsewhere: %v", got)
	}
	sums := strings.Repeat("0123456789abcdef", 2) + "  usr/bin/platen\n" + hex.EncodeToString([]byte("sixteen bytes of")) + "  usr/bin/x\n"
	if got := found(t, New(nil), file(t, "md5sums", []byte(sums))); len(got) != 0 {
		t.Errorf("found in checksums: %v", got)
	}
}

func TestTracesOfTheMachineAreFound(t *testing.T) {
	s := New([]string{"/srv/build", "/"})
	for text, want := range map[string]int{
		"/srv/build/client/main.go": 1, "x=/srv/build": 1, "/srv/builders": 0, "/srv/build.backup": 0, "in /srv/build.": 1, "/srv/build..": 1, "/srv": 0, "C\x00/srv/build/\x00/srv/build\x00": 1, // said once is enough
	} {
		if got := found(t, s, file(t, "f", []byte(text))); len(got) != want {
			t.Errorf("%q: found %v, want %d", text, got, want)
		}
	}
}

// A program that knows how keys are written has none in it.
func TestProgramsThatSpeakTLSAreClean(t *testing.T) {
	source := file(t, "main.go", []byte(`package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
)

func main() {
	b, _ := pem.Decode([]byte(os.Args[1]))
	k, _ := x509.ParsePKCS8PrivateKey(b.Bytes)
	_, _ = tls.X509KeyPair(nil, nil)
	_, _ = http.Get(os.Args[2])
	_ = k
}
`))
	dir := filepath.Dir(source)
	build := func(flags ...string) string {
		out := filepath.Join(t.TempDir(), "program")
		cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", out, source)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, text)
		}
		return out
	}
	s := New([]string{dir})
	if got := found(t, s, build("-trimpath", "-ldflags=-s -w -buildid=")); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	if got := found(t, s, build()); len(got) == 0 { // without -trimpath its folder is in it
		t.Error("the folder of the sources was not found")
	}
}

// In every format that we make: a secret in a file, in a file packed once more, and where the format has a place of its own
// (scripts, tables).
func TestR_SECRET_1_EveryFormatIsTakenApart(t *testing.T) {
	token, key := "plt_e_k5m2xq7vj3wz4tb6nrh2ydcgap", privateKey(t)
	secret, script := []byte("TOKEN="+token+"\n"), "#!/bin/sh\n# "+strings.ReplaceAll(key, "\n", "\n# ")+"\nexit 0\n"
	script = strings.ReplaceAll(script, "# -----BEGIN PRIVATE KEY-----\n# ", "# -----BEGIN PRIVATE KEY-----\n")
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write([]byte("code " + "plt_c_" + text(t, 43))); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 0).UTC()
	for name, c := range map[string]struct {
		needs []string
		make  func(t *testing.T) string
		rules []string
	}{
		"x.zip": {nil, func(t *testing.T) string {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for name, data := range map[string][]byte{"a/conf": secret, "a/man.gz": packed.Bytes()} {
				f, err := w.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.Write(data); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return file(t, "x.zip", b.Bytes())
		}, []string{"enrolment token", "code"}},
		"x.tar.gz": {nil, func(t *testing.T) string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			w := tar.NewWriter(z)
			for name, data := range map[string][]byte{"a/conf": secret, "a/man.gz": packed.Bytes()} {
				if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					t.Fatal(err)
				}
			}
			for _, close := range []func() error{w.Close, z.Close} {
				if err := close(); err != nil {
					t.Fatal(err)
				}
			}
			return file(t, "x.tar.gz", b.Bytes())
		}, []string{"enrolment token", "code"}},
		"x.deb": {[]string{"dpkg-deb"}, func(t *testing.T) string {
			dir := t.TempDir()
			tree := map[string]string{
				"DEBIAN/control":  "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n",
				"DEBIAN/postinst": script, "etc/x.conf": string(secret), "usr/share/man/x.gz": packed.String(),
			}
			for name, text := range tree {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			out := filepath.Join(t.TempDir(), "x.deb")
			run(t, "", "dpkg-deb", "--root-owner-group", "-b", dir, out)
			return out
		}, []string{"enrolment token", "code", "private key"}},
		"x.rpm": {[]string{"rpm", "rpmbuild", "rpm2cpio", "cpio"}, func(t *testing.T) string {
			dir := t.TempDir()
			for name, data := range map[string][]byte{"x.conf": secret, "x.gz": packed.Bytes(), "x.spec": []byte(
				"Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n" +
					"%install\nmkdir -p %{buildroot}/etc\ncp " + dir + "/x.conf " + dir + "/x.gz %{buildroot}/etc\n%post\n" + script + "\n%files\n/etc/*\n",
			)} {
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			run(t, dir, "rpmbuild", "-bb", "--quiet", "--nodeps", "--define", "_topdir "+dir, "--define", "_rpmdir "+dir, "--define", "_build_name_fmt x.rpm", "x.spec")
			return filepath.Join(dir, "x.rpm")
		}, []string{"enrolment token", "code", "private key"}},
		"x.msi": {[]string{"wixl", "msidump", "msiextract"}, func(t *testing.T) string {
			wxs := file(t, "x.wxs", []byte(`<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="X" UpgradeCode="3F2C8A52-5C0B-4B0C-9F55-0B7A9D7C1E11" Language="1033" Version="1.0.0" Manufacturer="X">
<Package InstallerVersion="500" Compressed="yes"/><Media Id="1" Cabinet="x.cab" EmbedCab="yes"/>
<Property Id="SCIM" Value="pp_scim_`+text(t, 43)+`"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Component Id="C" Guid="8A0F5C8F-6B3E-4B46-8B93-6F2A3C0F0101"><File Id="F" Name="x.gz" Source="x.gz" KeyPath="yes"/></Component>
<Component Id="D" Guid="8A0F5C8F-6B3E-4B46-8B93-6F2A3C0F0102"><File Id="G" Name="x.conf" Source="x.conf" KeyPath="yes"/></Component></Directory>
<Feature Id="Main" Level="1"><ComponentRef Id="C"/><ComponentRef Id="D"/></Feature></Product></Wix>`))
			dir := filepath.Dir(wxs)
			for name, data := range map[string][]byte{"x.gz": packed.Bytes(), "x.conf": secret} {
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			run(t, dir, "wixl", "-o", "x.msi", "x.wxs")
			return filepath.Join(dir, "x.msi")
		}, []string{"enrolment token", "code", "SCIM token"}},
		"x.pkg": {nil, func(t *testing.T) string {
			p := flatpkg.Package{
				Identifier: "org.example.x", Version: "1", Title: "X", Time: at,
				Files:       []flatpkg.File{flatpkg.Bytes("etc/x.conf", 0o644, secret), flatpkg.Bytes("etc/x.gz", 0o644, packed.Bytes())},
				Postinstall: []byte(script),
			}
			var b bytes.Buffer
			if err := flatpkg.Write(t.Context(), &b, p, flatpkg.Options{}); err != nil {
				t.Fatal(err)
			}
			return file(t, "x.pkg", b.Bytes())
		}, []string{"enrolment token", "code", "private key"}},
	} {
		t.Run(name, func(t *testing.T) {
			need(t, c.needs...)
			got := found(t, New(nil), c.make(t))
			for _, rule := range c.rules {
				if !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == rule && f.Artefact == name && strings.Contains(f.File, "!") }) {
					t.Errorf("%s was not found inside; found %v", rule, got)
				}
			}
		})
	}
}

func TestADamagedArtefactIsNoCleanOne(t *testing.T) {
	for name, data := range map[string]string{
		"x.zip": "PK\x03\x04 and nothing more", "x.gz": "\x1f\x8b and nothing more", "x.pkg": "xar! and nothing more", "x.deb": "!<arch>\ndebian-binary and nothing more",
		"x.msi": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and nothing more", "x.rpm": "\xed\xab\xee\xdb and nothing more",
	} {
		if got, err := New(nil).Scan(t.Context(), file(t, name, []byte(data))); err == nil {
			t.Errorf("%s: no error, found %v", name, got)
		}
	}
}
