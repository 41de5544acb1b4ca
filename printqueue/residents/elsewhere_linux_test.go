package residents

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// A container, or a person in a name space of their own, can run something at the very path of our program.
func TestTheSamePathElsewhereIsNotOurProgram(t *testing.T) {
	unshare := testenv.Program(t, "unshare", "util-linux")
	for name, c := range map[string]struct {
		script string
		found  int
	}{
		"here":                        {`"$p" 60 >&- & echo runs`, 1},
		"here, replaced":              {`"$p" 60 >&- & mv "$p.2" "$p"; echo runs`, 1},
		"another file mounted there":  {`mount --bind "$p.2" "$p"; "$p" 60 >&- & echo runs`, 0},
		"another root":                {root + `"$p" 60 >&- & echo runs`, 0},
		"another root, file replaced": {root + `"$p" 60 >&- & until [ "$(readlink /proc/$!/exe)" = "$p" ]; do sleep 0.05; done; rm "$p"; echo runs`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "platen-elsewhere-") //nolint:usetesting // an overlay's path has no comma
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.RemoveAll(dir) }()
			if dir, err = filepath.EvalSymlinks(dir); err != nil {
				t.Fatal(err)
			}
			sleep, err := os.ReadFile("/usr/bin/sleep")
			if err != nil {
				t.Fatal(err)
			}
			p := filepath.Join(dir, residentName)
			for _, path := range []string{p, p + ".2"} {
				if err := os.WriteFile(path, sleep, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), unshare, "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-ec", c.script+"; cat >/dev/null")
			cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "p=" + p, "d=" + dir}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = in.Close()
				_ = cmd.Wait()
			}()
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "runs\n" {
				t.Skipf("name spaces and an overlay cannot be made here (root with CAP_SYS_ADMIN can): %s", said.String())
			}
			testenv.Await(t, "the program to run, or not to be ours", func() bool {
				got, err := find(p)
				if err != nil {
					t.Fatal(err)
				}
				free(got)
				return len(got) == c.found && (c.found > 0 || ranAs(p))
			})
		})
	}
}

// root makes another root in which there is everything that is here.
const root = `mkdir "$d/m"; mount -t tmpfs none "$d/m"; mkdir "$d/m/up" "$d/m/work" "$d/m/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$d/m/up,workdir=$d/m/work" "$d/m/root"; cd "$d/m/root"; mkdir -p old ".$d"; mount --bind /dev dev; mount -t proc proc proc; cp /usr/bin/sleep ".$p"; pivot_root . old
`

// ranAs tells whether the kernel says of a process that it was started from path.
func ranAs(path string) bool {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range all {
		if was, _ := os.Readlink(exe); strings.TrimSuffix(was, " (deleted)") == path {
			return true
		}
	}
	return false
}
