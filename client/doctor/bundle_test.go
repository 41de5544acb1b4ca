package doctor

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
)

// unzip returns the files of a bundle.
func unzip(t *testing.T, text []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

// TestNothingPrivateInTheBundle puts canaries wherever something private could stand and looks for them in every file.
func TestNothingPrivateInTheBundle(t *testing.T) {
	const (
		token    = "plt_a_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF"
		refresh  = "plt_r_k2f7q_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF"
		password = "correct-horse"
		foreign  = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
	)
	canaries := []string{token, refresh, password, foreign, "alex.test", "Alex", "CORP\\alex", "CORP\\\\alex", "/home/alextest", "sam@example.net", "hunter2"}
	dirt := strings.Join([]string{
		"signed in as alex.test@example.org, also CORP\\alex and ALEX.TEST", `{"username":"alex.test","password":"` + password + `"}`,
		"password=" + password, "Authorization: Bearer " + token, "got " + refresh, "cookie: x=" + foreign, "jwt " + foreign + "." + foreign,
		"open /home/alextest/.config/platen/platen.conf", "for sam@example.net", "proxy http://alex:hunter2@proxy.example.org:3128",
		"GET https://print.example.org/x?token=hunter2", "Alex Test's printer", "access_token: hunter2", `refresh_token="hunter2 x"`,
	}, "\n")
	log := filepath.Join(t.TempDir(), "platen.log")
	if err := os.WriteFile(log, []byte(dirt), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := Bundle(&out, Support{
		Report:   Report{Version: "1.0", At: today, Results: []Result{{"config", Fail, dirt, dirt, []string{dirt, "pin sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}}},
		Settings: []status.Setting{{Name: "ServerURL", Value: "https://print.example.org:8443", Origin: "user file /home/alextest/.config/platen/platen.conf:3"}, {Name: "SharedOSUsers", Value: dirt, Origin: dirt}},
		Versions: map[string]string{"platen": "1.0"},
		Logs:     []LogFile{{"platen.log", log}, {"crash.log", filepath.Join(t.TempDir(), "none")}, {"folder.log", t.TempDir()}},
		Private:  Private{Names: []string{"CORP\\alex", "alex.test", "alex.test@example.org", "Alex Test"}, Home: []string{"/home/alextest"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := unzip(t, out.Bytes())
	for name, content := range files {
		for _, canary := range canaries {
			if strings.Contains(strings.ToLower(content), strings.ToLower(canary)) {
				t.Errorf("%s has %q:\n%s", name, canary, content)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid([]byte(content)) {
			t.Errorf("%s is not JSON:\n%s", name, content)
		}
	}
	var names []string
	for _, name := range []string{"README.txt", "report.txt", "report.json", "settings.json", "versions.json", "platen.log", "folder.log", "crash.log"} {
		if _, ok := files[name]; ok {
			names = append(names, name)
		}
	}
	if diff := cmp.Diff([]string{"README.txt", "report.txt", "report.json", "settings.json", "versions.json", "platen.log", "folder.log"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// What the helpdesk needs is still there.
	for _, keep := range []string{"https://print.example.org:8443", "user file ~/.config/platen/platen.conf:3"} {
		if !strings.Contains(files["settings.json"], keep) {
			t.Errorf("settings.json lost %q", keep)
		}
	}
	if !strings.Contains(files["report.txt"], "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") {
		t.Error("the pin is lost")
	}
}

func TestRedactorLeavesTheTechnicalRest(t *testing.T) {
	r := newRedactor(Private{Names: []string{"alex"}, Home: []string{"/home/alex", "/"}})
	for _, text := range []string{
		"dial tcp 127.0.0.1:8443: connect: connection refused",
		"sign in at print.example.org: the server answers 401 wrong_credentials: Account or password is wrong. (request ab12cd34ef56ab12cd34ef56ab)",
		"request 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
		"--------------------------------------------",
		`msg="token store" persistent=true keyring=available`,
		"goroutine 1 [running]: github.com/platenprint/platen/client/session.(*Session).Run(0xc000123456)",
		"alexander",
	} {
		if got := r.text(text); got != text {
			t.Errorf("got %q, want it unchanged: %q", got, text)
		}
	}
	if got := r.text("alex, alex/alex in /home/alex/x"); got != "<name>, <name>/<name> in ~/x" {
		t.Errorf("got %q", got)
	}
}

func TestOnlyTheEndOfALongLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "platen.log")
	var text strings.Builder
	for i := range 40000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	if err := os.WriteFile(log, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := tail(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got, "\n")
	if len(got) > maxLog+100 || lines[0] != "(earlier lines are left out)" || !strings.HasPrefix(lines[1], "line ") || lines[len(lines)-2] != "line 39999" {
		t.Errorf("got %d bytes, from %q to %q", len(got), lines[:2], lines[len(lines)-2])
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("password=x Authorization: Bearer abcdefgh", "alex")
	f.Add("", "\xff\xff")
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(name) > 100 || len(text) > 1000 {
			return
		}
		r := newRedactor(Private{Names: []string{name}})
		got := r.text(text + "\nplt_a_canary123 password=canary456 \n")
		if strings.Contains(got, "canary123") || strings.Contains(got, "canary456") {
			t.Errorf("got %q", got)
		}
	})
}
