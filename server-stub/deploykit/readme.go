package deploykit

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

//go:embed readme.md.tmpl
var readmeText string

// said is a setting with its meaning.
type said struct{ Name, Value, Level, Doc string }

// listed is a file with what it is.
type listed struct{ Path, About string }

// instructions is what the template of README.md works with. All texts of others go through prose or code there.
type instructions struct {
	Site
	Host, Version, Made string
	Settings            []said
	Files               []listed
	Notes               []string
	MSI, PKG            string // file names
	Install             string // line of msiexec
	Unsaid              []string
	Rule                detection.Rule
	HasMSI, HasPKG      bool
	Debs, RPMs          []string
	ConfigDeb           string
	ConfigPackage       string
	Docs                string
	TokenFile           string
	Token               *Token
	Uninstaller         string
	RegistryPolicy      string
	RegistryToken       string
	Managed             string
	SiteFile            string
}

// readme writes the instructions.
func (k *Kit) readme() ([]byte, error) {
	funcs := template.FuncMap{"code": code, "cell": cell, "prose": prose, "join": func(list []string) string { return strings.Join(list, ", ") }}
	t, err := template.New("README.md").Funcs(funcs).Option("missingkey=error").Parse(readmeText)
	if err != nil {
		return nil, fmt.Errorf("read the template of the instructions: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, k.instructions()); err != nil {
		return nil, fmt.Errorf("write the instructions: %w", err)
	}
	return b.Bytes(), nil
}

func (k *Kit) instructions() instructions {
	all := append(slices.Clone(k.options.Enforced), k.options.Recommended...)
	properties, unsaid := properties(all)
	in := instructions{
		Site: k.options.Site, Host: k.host, Version: k.version(), Made: k.options.Time.UTC().Format("2006-01-02 15:04 MST"), Notes: k.notes,
		MSI: k.msiName(), PKG: k.pkgName(), HasMSI: k.packages.msi != nil, HasPKG: k.packages.pkg != nil,
		// The log is SYSTEM's: it belongs where only administrators write. In Windows\Temp anybody may have put something of its name.
		Install: `msiexec /i "` + k.msiName() + `" /qn /norestart /l*v "C:\Windows\Logs\platen-install.log"` + line(properties), Unsaid: unsaid,
		ConfigDeb: k.configPackageFile(), ConfigPackage: debNameOf(k.host), Docs: product.Homepage + "/blob/main/docs/deploy/",
		TokenFile: tokenFile, Token: k.token, Uninstaller: identity.Uninstaller, RegistryPolicy: settings.RegistryPolicyMachine,
		RegistryToken: settings.RegistryDeploy, Managed: settings.ManagedPreferences, SiteFile: settings.SiteFile,
	}
	if r, ok := k.packages.msi.release(); ok {
		in.Rule = detection.Of(r)
	}
	for _, p := range []*pack{k.packages.debAMD, k.packages.debARM} {
		if p != nil {
			in.Debs = append(in.Debs, p.name)
		}
	}
	for _, p := range []*pack{k.packages.rpmX, k.packages.rpmA} {
		if p != nil {
			in.RPMs = append(in.RPMs, p.name)
		}
	}
	for _, level := range []struct {
		name   string
		values []policy.Value
	}{{"enforced", k.options.Enforced}, {"recommended", k.options.Recommended}} {
		for _, v := range level.values {
			s, _ := settings.Lookup(v.Name)
			in.Settings = append(in.Settings, said{v.Name, v.Text, level.name, s.Doc})
		}
	}
	for _, f := range k.files {
		in.Files = append(in.Files, listed{f.path, f.about})
	}
	return in
}
