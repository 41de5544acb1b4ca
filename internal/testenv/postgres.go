package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/platenprint/platen/internal/sysexec"
)

// postgresScript makes a database cluster in $1 with the programs in $2, says "ready", and stops and removes it when its
// standard input ends: however the test program ends, nothing is left. The rest are settings of the server.
const postgresScript = `
dir=$1 bin=$2
shift 2
umask 077
fail() { cat "$dir/log"; rm -rf "$dir"; exit 1; }
cd "$dir" || exit 1
"$bin/initdb" -D data -U platen -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 || fail
"$bin/postgres" -D data -k "$dir" -c listen_addresses= "$@" </dev/null >>log 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do
	kill -0 $server || fail
	sleep 0.05
done
echo ready
while read -r _; do :; done
kill -INT $server
wait $server
rm -rf "$dir"
`

// PostgresCluster is a PostgreSQL server of the tests' own, on a Unix socket only.
type PostgresCluster struct {
	dir, bin string
	stop     func()

	mu   sync.Mutex // guards last
	last int
}

// sharedPostgres is the cluster that all tests of a test program use; it stops when the program ends.
var sharedPostgres = struct {
	once    sync.Once
	cluster *PostgresCluster
	err     error
}{}

// Postgres returns the address of a fresh, empty database. All tests of a test program share one server, started by the
// first, which does not wait for the disk (fsync=off). The test is skipped, or fails if RequireAll is set, where
// PostgreSQL is missing.
func Postgres(t testing.TB) string {
	t.Helper()
	bin := postgresPrograms(t)
	s := &sharedPostgres
	s.once.Do(func() { s.cluster, s.err = startPostgres(bin, "fsync=off", "max_connections=200") })
	if s.err != nil {
		t.Fatalf("start PostgreSQL: %v", s.err)
	}
	return s.cluster.Database(t)
}

// OwnPostgres starts a server for one test, with settings such as "fsync=on", and stops it at the end of the test.
func OwnPostgres(t testing.TB, settings ...string) *PostgresCluster {
	t.Helper()
	c, err := startPostgres(postgresPrograms(t), settings...)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(c.stop)
	return c
}

// Database makes a fresh, empty database and returns its address.
func (c *PostgresCluster) Database(t testing.TB) string {
	t.Helper()
	c.mu.Lock()
	c.last++
	name := "test" + strconv.Itoa(c.last)
	c.mu.Unlock()
	cmd, err := sysexec.Command(t.Context(), filepath.Join(c.bin, "createdb"), "-h", c.dir, "-U", "platen", name)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make a database: %v: %s", err, out)
	}
	return fmt.Sprintf("postgres:///%s?host=%s&user=platen", name, c.dir)
}

// ServerPID returns the process id of the server, for tests that kill it or a part of it.
func (c *PostgresCluster) ServerPID(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// postgresPrograms returns the folder of the newest PostgreSQL server programs. Debian keeps them out of the usual folders.
func postgresPrograms(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return filepath.Dir(Program(t, "initdb", "postgresql-15"))
	}
	return filepath.Dir(slices.Max(found))
}

func startPostgres(bin string, settings ...string) (*PostgresCluster, error) {
	dir, err := os.MkdirTemp("", "pg") // the path of a socket must be short, which t.TempDir's is not always
	if err != nil {
		return nil, err
	}
	path, args, err := asPostgres(dir)
	if err != nil {
		return nil, err
	}
	args = append(args, "-c", postgresScript, "sh", dir, bin)
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd, err := sysexec.Command(context.Background(), path, args...)
	if err != nil {
		return nil, err
	}
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// No goroutine stays behind, so that tests may look for leaks of their own.
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); line != "ready\n" {
		_ = stdin.Close()
		rest, readErr := io.ReadAll(said)
		return nil, fmt.Errorf("%w: %s%s", errors.Join(errors.New("it did not start"), err, readErr, cmd.Wait()), line, rest)
	}
	stop := func() {
		_ = stdin.Close()
		_ = cmd.Wait() // it removes its folder before it ends
	}
	return &PostgresCluster{dir: dir, bin: bin, stop: stop}, nil
}

// asPostgres returns how to start a shell that may run PostgreSQL, which refuses root: as the user that Debian's package
// makes, to whom dir is given.
func asPostgres(dir string) (path string, args []string, err error) {
	if os.Getuid() != 0 {
		return "/bin/sh", nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return "", nil, err
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if uidErr != nil || gidErr != nil {
		return "", nil, fmt.Errorf("the account postgres has uid %q and gid %q", account.Uid, account.Gid)
	}
	setpriv, err := sysexec.Find("setpriv")
	if err != nil {
		return "", nil, err
	}
	return setpriv, []string{"--reuid", account.Uid, "--regid", account.Gid, "--clear-groups", "/bin/sh"}, os.Chown(dir, uid, gid)
}
