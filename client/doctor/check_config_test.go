package doctor

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/client/config"
	table "github.com/platenprint/platen/internal/settings"
)

// registry is a Windows registry.
type registry map[string]map[string]string

func (r registry) Values(key string) (map[string]string, error) { return r[key], nil }

func TestE9_TheDoctorSaysWhoNamesTheServer(t *testing.T) {
	for name, tc := range map[string]struct {
		registry registry
		want     Level
		say      string
		detail   string
	}{
		"package name": {
			registry{table.RegistryInstaller: {"InstallerFile": `C:\x\platen--print.example.org (1).msi`}},
			Warn, "The file name of the installed package alone names the server print.example.org.",
			`ServerURL=https://print.example.org (package name HKLM\Software\Platen\InstallerFile)`,
		},
		"policy against property": {
			registry{table.RegistryInstaller: {"ServerURL": "https://a.example.org"}, table.RegistryPolicyMachine: {"ServerURL": "https://b.example.org"}},
			OK, "The server is b.example.org (policy HKLM",
			`ServerURL=https://b.example.org (policy HKLM\Software\Policies\Platen), instead of https://a.example.org (installer HKLM\Software\Platen)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := config.Machine{GOOS: "windows", Registry: tc.registry, ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist }}
			c, warnings, err := config.Load(t.Context(), config.Sources{Ordered: config.System(m)})
			if err != nil {
				t.Fatal(err)
			}
			r := Inputs{Config: c, Warnings: warnings}.config(t.Context())
			if r.Level != tc.want || !strings.Contains(r.Sentence, tc.say) || !slices.Contains(r.Details, tc.detail) {
				t.Errorf("got %+v", r)
			}
		})
	}
}
