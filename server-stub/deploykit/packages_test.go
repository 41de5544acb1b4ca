package deploykit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/msi"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

// The command lines have the properties that the MSI knows, and no others.
func TestTheMSIKnowsTheProperties(t *testing.T) {
	var want, got []string
	for _, p := range msi.Properties() {
		if p.Value != "" { // it is remembered: a setting
			want = append(want, p.Name)
		}
	}
	var all []policy.Value
	for _, s := range settings.Table() {
		all = append(all, policy.Value{Name: s.Name, Text: "x"})
	}
	list, unsaid := properties(all)
	for _, p := range list {
		got = append(got, p.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-MSI +kit):\n%s", diff)
	}
	if len(list)+len(unsaid) != len(all) {
		t.Errorf("%d settings are given and %d named as missing, of %d", len(list), len(unsaid), len(all))
	}
}

// The builders' own names are found, whatever the version.
func TestPackagesAreFoundByTheirBuildersNames(t *testing.T) {
	for _, version := range []string{"1.2.3", "1.3.0-rc.1", "0.1.0-dev"} {
		r, err := product.Parse(version)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, name := range []string{msi.Name(r), macos.Name(r, macos.Options{})} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		found, err := findPackages(dir)
		if err != nil || found.msi == nil || found.pkg == nil || found.msi.version.Version != version || found.pkg.version.Version != version {
			t.Errorf("%s: %+v %v", version, found, err)
		}
	}
}

func TestAPackageWithoutAWindowIsLeftOut(t *testing.T) {
	r, err := product.Parse("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	o := site()
	o.Packages = release(t)
	for _, name := range []string{macos.Name(r, macos.Options{}), macos.Name(r, macos.Options{WithoutWindow: true})} {
		if err := os.Rename(filepath.Join(o.Packages, "platen-1.2.3.pkg"), filepath.Join(o.Packages, name)); err != nil {
			t.Fatal(err)
		}
		k, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if told, found := strings.Contains(strings.Join(k.Notes(), " "), "no window"), k.packages.pkg != nil; told == found {
			t.Errorf("%s: told %v, in the kit %v", name, told, found)
		}
		if err := os.Rename(filepath.Join(o.Packages, name), filepath.Join(o.Packages, "platen-1.2.3.pkg")); err != nil {
			t.Fatal(err)
		}
	}
}
