package tool

import (
	"errors"
	"strings"
	"testing"
)

func TestMissingProgramsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Need("wixl", "msibuild", "msiextract", "unheard-of")
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	want := "wixl, msibuild, msiextract, unheard-of not found: apt-get install msitools unheard-of wixl (or make setup-dist)"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if _, err := Run(t.Context(), "", nil, "wixl"); !errors.As(err, &missing) {
		t.Errorf("run: got %v", err)
	}
}

func TestProgramsRunInTheSameSurroundings(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Setenv("TZ", "Asia/Kathmandu")
	out, err := Run(t.Context(), t.TempDir(), []string{"MORE=1"}, "sh", "-c", "echo $LC_ALL $TZ $MORE")
	if err != nil || string(out) != "C UTC 1\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestAFailureSaysWhatTheProgramSaid(t *testing.T) {
	_, err := Run(t.Context(), "", nil, "sh", "-c", "seq 100; echo no such table >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "100") || strings.Contains(err.Error(), "\n50\n") {
		t.Errorf("got %v", err)
	}
	if _, err := Run(t.Context(), "", nil, "sh", "-c", "echo no such table >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "no such table") {
		t.Errorf("got %v", err)
	}
}

// openssl writes a key to its standard output, and can fail after that.
func TestR_SECRET_1_AFailureShowsNoKey(t *testing.T) {
	_, err := Run(t.Context(), "", nil, "sh", "-c", `echo "-----BEGIN PRIVATE KEY-----"; echo c2Vj''cmV0; echo "it failed" >&2; exit 1`)
	if err == nil || !strings.Contains(err.Error(), "it failed") || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("got %v", err)
	}
}
