//go:build linux

package linux

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	clientcli "github.com/platenprint/platen/client/cli"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/internal/testenv"
	deploycli "github.com/platenprint/platen/printqueue/cli"
	servercli "github.com/platenprint/platen/server-stub/cli"
)

// itemsOf are what a package is made of, before it is one.
func itemsOf(t *testing.T, what func(product.Input) (contents, error)) map[string]item {
	t.Helper()
	p, err := what(input(t, older, "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]item{}
	for _, i := range p.items {
		byPath[i.path] = i
	}
	return byPath
}

func TestE9_TheSettingsFileExplainsEverySettingAndSaysNothing(t *testing.T) {
	text := itemsOf(t, client)["/etc/platen/platen.conf"].text
	raws, warnings, err := sources.ParseFile([]byte(text), sources.KindMachineFile, settings.MachineFile)
	if err != nil || len(raws) > 0 || len(warnings) > 0 {
		t.Errorf("as it comes it must say nothing: %v, %v, %v", raws, warnings, err)
	}
	used := regexp.MustCompile(`(?m)^#([A-Za-z])`).ReplaceAllString(text, "$1")
	raws, warnings, err = sources.ParseFile([]byte(used), sources.KindMachineFile, settings.MachineFile)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("with every # removed: %v, %v", warnings, err)
	}
	for i, s := range settings.Table() {
		if i >= len(raws) || raws[i].Name != s.Name || raws[i].Text != s.Default {
			t.Fatalf("setting %d: want %s=%s in\n%s", i, s.Name, s.Default, text)
		}
		if !strings.Contains(text, "# "+s.Doc+"\n#"+s.Name+"=") {
			t.Errorf("%s is not explained", s.Name)
		}
	}
}

// manuals are the pages of both packages, as roff.
func manuals(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, what := range []func(product.Input) (contents, error){client, server} {
		for path, i := range itemsOf(t, what) {
			if !strings.HasPrefix(path, "/usr/share/man/") {
				continue
			}
			r, err := gzip.NewReader(strings.NewReader(i.text))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			pages[strings.TrimSuffix(filepath.Base(path), ".gz")] = string(text)
		}
	}
	return pages
}

func TestManualPagesAreReadable(t *testing.T) {
	groff, lexgrog := testenv.Program(t, "groff", "groff-base"), testenv.Program(t, "lexgrog", "man-db")
	pages := manuals(t)
	for _, name := range []string{"platen.1", "platen-window.1", "platen-deploy.8", "platen.conf.5", "platen-server.1", "platen-server.yaml.5"} {
		if pages[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	dir := t.TempDir()
	for name, text := range pages {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), groff, "-man", "-ww", "-z", "-Tutf8", "-K", "utf8", file).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: groff: %v\n%s", name, err, out)
		}
		if out, err := exec.CommandContext(t.Context(), lexgrog, file).CombinedOutput(); err != nil || !strings.Contains(string(out), " - ") {
			t.Errorf("%s: lexgrog: %v %s", name, err, out)
		}
	}
	for name, root := range map[string]*cobra.Command{"platen.1": clientcli.Command(), "platen-deploy.8": deploycli.Command(), "platen-server.1": servercli.Command()} {
		each(root, func(c *cobra.Command) {
			if heading := strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), root.Name()+" "), "-", `\-`); !strings.Contains(pages[name], `.SS "`+heading) {
				t.Errorf("%s does not have the command %s", name, c.CommandPath())
			}
		})
	}
	for _, s := range settings.Table() {
		if !strings.Contains(pages["platen.conf.5"], s.Name) {
			t.Errorf("platen.conf.5 does not have %s", s.Name)
		}
	}
}

// each calls do for every command that people use.
func each(c *cobra.Command, do func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if sub.Runnable() {
			do(sub)
		}
		each(sub, do)
	}
}

func TestTextsDoNotBecomeRoffCommands(t *testing.T) {
	p := page{summary: "it's .a -b \\ test", synopsis: []string{".so /etc/passwd"}, sections: []section{{"DESCRIPTION", []string{".so /etc/passwd\n'br\n\\*(xx", "\t.indented \"x\""}}}}
	for line := range strings.Lines(p.roff(release(t, older), "x", 1)) {
		if strings.HasPrefix(line, ".so") || strings.HasPrefix(line, "'") || strings.Contains(line, `\*(xx`) || strings.HasPrefix(line, ".indented") {
			t.Errorf("a command: %s", line)
		}
	}
}

func TestCompletionsAreShellPrograms(t *testing.T) {
	bash := testenv.Program(t, "bash", "bash")
	for what, names := range map[string][]string{"client": {"platen", "platen-deploy"}, "server": {"platen-server"}} {
		items := itemsOf(t, map[string]func(product.Input) (contents, error){"client": client, "server": server}[what])
		for _, name := range names {
			script := items["/usr/share/bash-completion/completions/"+name].text
			cmd := exec.CommandContext(t.Context(), bash, "-c", `source /dev/stdin && complete -p "$0"`, name)
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "__start_"+name+" "+name) {
				t.Errorf("%s: %v %s", name, err, out)
			}
			if zsh := items["/usr/share/zsh/vendor-completions/_"+name].text; !strings.HasPrefix(zsh, "#compdef "+name+"\n") || zsh != items["/usr/share/zsh/site-functions/_"+name].text {
				t.Errorf("zsh's completion of %s is not one", name)
			}
			if fish := items["/usr/share/fish/vendor_completions.d/"+name+".fish"].text; !strings.Contains(fish, "complete -c "+name+" ") {
				t.Errorf("fish's completion of %s is not one", name)
			}
		}
	}
}

func TestDesktopFilesFollowTheStandard(t *testing.T) {
	validate := testenv.Program(t, "desktop-file-validate", "desktop-file-utils")
	items := itemsOf(t, client)
	autostart, application := items[autostart].text, items["/usr/share/applications/org.platenprint.platen.desktop"].text
	for name, text := range map[string]string{"autostart": autostart, "application": application} {
		file := filepath.Join(t.TempDir(), name+".desktop")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), validate, file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, language := range []string{"de", "fr", "es"} {
			if !strings.Contains(text, "\nComment["+language+"]=") {
				t.Errorf("%s says nothing in %s", name, language)
			}
		}
		if !strings.Contains(text, "\nIcon="+product.Identifier+"\n") {
			t.Errorf("%s has no icon", name)
		}
	}
	if !strings.Contains(autostart, "\nExec=/usr/bin/platen run --at-logon\n") {
		t.Errorf("autostart:\n%s", autostart)
	}
	run, _, err := clientcli.Command().Find([]string{"run"})
	if err != nil || run.Flags().Lookup("at-logon") == nil {
		t.Errorf("platen run knows no --at-logon: %v", err)
	}
}

func TestScriptsAreCleanShell(t *testing.T) {
	shellcheck := testenv.Program(t, "shellcheck", "shellcheck")
	scripts, err := filepath.Glob("files/*/*.sh")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("%v, %v", scripts, err)
	}
	if out, err := exec.CommandContext(t.Context(), shellcheck, append([]string{"--shell=sh"}, scripts...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`/tmp|\$HOME|/home/|curl|wget|eval`).Find(text); found != nil { // R-LINK, R-EXEC
			t.Errorf("%s: %s has no place in a script that runs as root", script, found)
		}
	}
}

// The units stand in a system with the packages installed, as systemd would find them.
func TestC11_UnitsAreHardened(t *testing.T) {
	testenv.Program(t, "systemd-analyze", "systemd") //nolint:misspell // its name
	m := newMachine(t, "256m")
	m.run("dpkg", "-i", "--force-depends", clientOf(t, m, older).deb, serverOf(t, m, older).deb)
	for unit, most := range map[string]float64{"platen-deploy.service": 1.8, "platen-server.service": 1.5} {
		file := "/usr/lib/systemd/system/" + unit
		if out := m.run("systemd-analyze", "verify", "--recursive-errors=no", file); strings.Contains(out, unit) || strings.Contains(out, "man") { //nolint:misspell // its name
			t.Errorf("%s: systemd says:\n%s", unit, out)
		}
		out := m.run("systemd-analyze", "security", "--offline=true", "--no-pager", file) //nolint:misspell // its name
		found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("no score:\n%s", out)
		}
		if score, err := strconv.ParseFloat(found[1], 64); err != nil || score > most {
			t.Errorf("%s: exposure %v, want at most %v:\n%s", unit, score, most, out)
		}
		t.Log(found[0])
	}
	if got := m.run("systemctl.real", "--root=/", "list-unit-files", "--no-legend", "platen-*"); !slices.Equal(strings.Fields(got), []string{"platen-deploy.service", "enabled", "enabled", "platen-server.service", "enabled", "enabled"}) {
		t.Errorf("got %s", got)
	}
}

func TestScriptsSurviveWhatFails(t *testing.T) {
	m := newMachine(t, "256m")
	old, young := clientOf(t, m, older), clientOf(t, m, younger)
	fail := "#!/bin/sh\necho \"$0 $*\" >>/calls\nexit 1\n"
	m.write("/usr/bin/systemctl", fail, 0o755)
	m.write("/usr/bin/deb-systemd-invoke", fail, 0o755)
	for family, steps := range map[string][][]string{
		deb: {{"dpkg", "-i", "--force-depends", old.deb}, {"dpkg", "-i", "--force-depends", young.deb}, {"dpkg", "-P", "platen"}},
		rpm: {{"rpm", "-i", "--nodeps", old.rpm}, {"rpm", "-U", "--nodeps", young.rpm}, {"rpm", "-e", "--nodeps", "platen"}},
	} {
		for i, step := range steps {
			out := m.run(step...)
			m.write("/usr/bin/platen-deploy", fail, 0o755) // the next step finds one that fails
			if i == 0 && family == deb && !strings.Contains(out, "the service did not start") {
				t.Errorf("%v says nothing:\n%s", step, out)
			}
		}
		m.run("rm", "-f", "/usr/bin/platen-deploy")
	}
}
