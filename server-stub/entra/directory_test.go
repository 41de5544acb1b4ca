package entra

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheDirectoryAsksForTheLeastPermissions(t *testing.T) {
	for name, test := range map[string]struct {
		o    DirectoryOptions
		want []string
		add  string
	}{
		"people and groups": {DirectoryOptions{Tenant: tenant}, []string{"User.Read.All", "GroupMember.Read.All"}, "--client-secret-file directory-secret"},
		"people only":       {DirectoryOptions{NoGroups: true}, []string{"User.Read.All"}, "--set read_groups=no"},
		"with a warning":    {DirectoryOptions{Expiry: true}, []string{"User.Read.All", "GroupMember.Read.All", "Application.Read.All"}, "--tenant TENANT_ID"},
		"another cloud":     {DirectoryOptions{Authority: "https://login.microsoftonline.us"}, []string{"User.Read.All", "GroupMember.Read.All"}, "--cloud usgov"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewDirectoryPlan(test.o)
			if err != nil {
				t.Fatal(err)
			}
			var names, ids []string
			for _, permission := range p.Permissions {
				names, ids = append(names, permission.Name), append(ids, permission.ID)
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			raw, err := json.Marshal(p.Application)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if !strings.Contains(string(raw), `{"id":"`+id+`","type":"Role"}`) {
					t.Errorf("%s is not asked for: %s", id, raw)
				}
			}
			if strings.Count(string(raw), `"Role"`) != len(ids) || strings.Contains(string(raw), `"Scope"`) || !strings.Contains(p.Add, test.add) {
				t.Errorf("%s\n%s", raw, p.Add)
			}
		})
	}
	for _, o := range []DirectoryOptions{{Authority: "https://login.example.com"}, {Name: "it's"}, {Tenant: "$(reboot)"}} {
		if p, err := NewDirectoryPlan(o); err == nil {
			t.Errorf("%+v: %v", o, p.Steps)
		}
	}
}

func TestCommandsOfTheDirectoryRunInAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	dir := t.TempDir()
	az := "#!/bin/sh\ncase \"$*\" in *POST*) echo " + apiApp + " ;; *credential*) echo CANARY-secret ;; esac\nfor a in \"$@\"; do printf '%s\\n' \"$a\" >> \"$LOG\"; done\n"
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(az), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	p, err := NewDirectoryPlan(DirectoryOptions{Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, s := range p.Steps {
		script.WriteString(strings.Join(s.Commands, "\n") + "\n")
	}
	cmd := exec.CommandContext(t.Context(), sh, "-c", script.String())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LOG=" + filepath.Join(dir, "log")}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "CANARY") || !strings.Contains(string(out), "client_id: "+apiApp) {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(filepath.Join(dir, "directory-secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(p.Application)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), string(want)+"\n") || !strings.Contains(string(log), "--id\n"+apiApp) {
		t.Errorf("%s", log)
	}
}
