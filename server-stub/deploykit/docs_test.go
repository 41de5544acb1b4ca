package deploykit_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	clientcli "github.com/platenprint/platen/client/cli"
	deploycli "github.com/platenprint/platen/printqueue/cli"
	servercli "github.com/platenprint/platen/server-stub/cli"
)

// invocation is a command of ours as the pages write it: in a piece of code, up to its end or what a shell ends it with.
var invocation = regexp.MustCompile(`(?:^|[\s"'/\\` + "`" + `])(platen|platen-deploy|platen-server)(?:\.exe)?["']? ([a-z][^` + "`" + `\n|;#)]*)`)

// Every command and flag that the pages for administrators name exists.
func TestE9_ThePagesNameCommandsThatExist(t *testing.T) {
	pages, err := filepath.Glob("../../docs/deploy/*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("the pages are not there: %v %v", pages, err)
	}
	pages = append(pages, "readme.md.tmpl", "../../docs/deploy.md")
	programs := map[string]*cobra.Command{"platen": clientcli.Command(), "platen-deploy": deploycli.Command(), "platen-server": servercli.Command()}
	named := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range pieces(string(text)) {
			for _, m := range invocation.FindAllStringSubmatch(code, -1) {
				named++
				check(t, page, programs[m[1]], m[2])
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d commands were found in the pages", named)
	}
}

// pieces are the pieces of code of a page: fenced blocks line by line, and what stands between backticks.
func pieces(text string) []string {
	var list []string
	for i, block := range strings.Split(text, "```") {
		if i%2 == 1 {
			list = append(list, strings.Split(block, "\n")...)
			continue
		}
		for j, code := range strings.Split(block, "`") {
			if j%2 == 1 {
				list = append(list, code)
			}
		}
	}
	return list
}

// check looks for a command line in a program. Arguments in capitals, and those that are no words, stand for values.
func check(t *testing.T, page string, root *cobra.Command, text string) {
	t.Helper()
	cmd := root
	for i, arg := range strings.Fields(text) {
		flag, isFlag := strings.CutPrefix(strings.TrimRight(arg, ".,:"), "--")
		flag, _, _ = strings.Cut(flag, "=")
		switch {
		case isFlag && cmd.Flags().Lookup(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil:
			t.Errorf("%s: %s %s: there is no flag --%s", page, root.Name(), text, flag)
		case isFlag || !cmd.HasSubCommands():
		default:
			next := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == arg })
			if next < 0 {
				t.Errorf("%s: %s %s: there is no command %q (argument %d)", page, root.Name(), text, arg, i+1)
				return
			}
			cmd = cmd.Commands()[next]
		}
	}
	if cmd.HasSubCommands() && cmd != root {
		t.Errorf("%s: %s %s is not a whole command", page, root.Name(), text)
	}
}
