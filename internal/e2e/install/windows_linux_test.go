package install

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/testenv"
)

// serverProgram is where it lies on the Windows of the test.
const serverProgram = `C:\Program Files\Platen Server\platen-server.exe`

// newWindows makes a Windows with the server's program on it.
func newWindows(t *testing.T) *testenv.Windows {
	t.Helper()
	testenv.Program(t, "wine", "wine")
	built := filepath.Join(t.TempDir(), "platen-server.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", built, "../../../server-stub")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the server for Windows: %v: %s", err, said)
	}
	w := testenv.StartWindows(t)
	at := w.File(serverProgram)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(built, at); err != nil { // both are in the folder for temporary files
		t.Fatal(err)
	}
	return w
}

// freePort is one that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestE9_TheServerIsAServiceOfWindows(t *testing.T) {
	w := newWindows(t)
	command := func(code int, args ...string) string {
		t.Helper()
		out, got := w.Run(t, serverProgram, args...)
		if got != code {
			logged, _ := os.ReadFile(w.File(`C:\ProgramData\PlatenServer\log\platen-server.log`))
			t.Fatalf("%v: exit code %d, want %d: %s\n%s", args, got, code, out, logged)
		}
		return out
	}
	if out := command(4, "service", "status"); !strings.Contains(out, "not-installed") {
		t.Errorf("before: %s", out)
	}
	command(0, "service", "install")
	port, devices := freePort(t), freePort(t)
	settings := "listen: \"127.0.0.1:" + port + "\"\ndevice_listen: \"127.0.0.1:" + devices + "\"\nadmin_listen: \"off\"\n"
	configuration := w.File(`C:\ProgramData\PlatenServer\platen-server.yaml`)
	offered, err := os.ReadFile(configuration)
	if err != nil || !bytes.Contains(offered, []byte("# organisation: ")) {
		t.Fatalf("no configuration to fill in: %v, %s", err, offered)
	}
	if err := os.WriteFile(configuration, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	command(0, "service", "install") // a second time keeps what was filled in

	key := `HKLM\System\CurrentControlSet\Services\PlatenServer`
	entry, _ := w.Run(t, "reg", "query", key)
	for _, want := range []string{
		`    "` + serverProgram + `" service run` + "\r\n", // R-WIN-1: quoted
		`    NT SERVICE\PlatenServer` + "\r\n",
		"Start    REG_DWORD    0x2\r\n",
	} {
		if !strings.Contains(entry, want) {
			t.Errorf("the service's entry has no %q:\n%s", want, entry)
		}
	}
	command(0, "service", "start")
	// It counts as started when it answers, so there is nothing to wait for.
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(w.File(`C:\ProgramData\PlatenServer\data\ca.pem`))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("the CA: %v", err)
	}
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: testenv.Deadline}
	get := func(path string) (string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1:"+port+path, nil)
		if err != nil {
			return "", err
		}
		resp, err := web.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return resp.Status + " " + string(text), err
	}
	if got, err := get("/readyz"); err != nil || !strings.HasPrefix(got, "200 ") {
		t.Errorf("the server: %s, %v", got, err)
	}
	if got, err := get(api.PathWellKnown); err != nil || !strings.Contains(got, `"product":"platen"`) || !strings.Contains(got, ":"+devices) {
		t.Errorf("what the server says of itself: %s, %v", got, err)
	}
	if out := command(0, "service", "status"); !strings.Contains(out, "running") {
		t.Errorf("while it runs: %s", out)
	}
	began := time.Now()
	command(0, "service", "stop")
	if got, err := get("/readyz"); err == nil {
		t.Errorf("it answers after %v: %s", time.Since(began), got)
	}
	logged, err := os.ReadFile(w.File(`C:\ProgramData\PlatenServer\log\platen-server.log`))
	if err != nil || !bytes.Contains(logged, []byte("msg=stopped")) || !bytes.Contains(logged, []byte("CA pin ")) || !bytes.Contains(logged, []byte("setup ")) {
		t.Errorf("the log: %v\n%s", err, logged)
	}

	// Windows' own tools steer it, too, and it finds its data again.
	if out, code := w.Run(t, "net", "start", "PlatenServer"); code != 0 {
		t.Errorf("net start: %s", out)
	}
	testenv.Await(t, "the server a second time", func() bool { // Wine's net does not wait
		got, err := get("/readyz")
		return err == nil && strings.HasPrefix(got, "200 ")
	})

	// A configuration that is wrong: the start says so, and where to look.
	command(0, "service", "stop")
	if err := os.WriteFile(configuration, []byte("listne: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := command(1, "service", "start"); !strings.Contains(out, `C:\ProgramData\PlatenServer\log\platen-server.log`) {
		t.Errorf("the start with a wrong configuration: %s", out)
	}
	logged, err = os.ReadFile(w.File(`C:\ProgramData\PlatenServer\log\platen-server.log`))
	if err != nil || !bytes.Contains(logged, []byte("platen-server.yaml:1")) {
		t.Errorf("the log does not name the line: %v", err)
	}

	command(0, "service", "uninstall")
	if _, err := os.Stat(w.File(`C:\ProgramData\PlatenServer\data\platen.db`)); err != nil {
		t.Errorf("uninstalling took people's balances: %v", err)
	}
	command(2, "service", "uninstall", "--purge") // nobody to ask
	command(0, "service", "uninstall", "--purge", "--yes")
	if _, err := os.Stat(w.File(`C:\ProgramData\PlatenServer`)); !os.IsNotExist(err) {
		t.Errorf("purging left the folder: %v", err)
	}
	if out, code := w.Run(t, "reg", "query", key); code == 0 {
		t.Errorf("the service's entry is left: %s", out)
	}
}
