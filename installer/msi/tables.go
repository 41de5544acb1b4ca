package msi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
)

// assemble makes dir/platen.msi of dir/platen.wxs and the files beside it. The clock stands still for wixl and msibuild, which
// write the time into the summary.
func assemble(ctx context.Context, r product.Release, dir string) error {
	clock := []string{"-f", r.Time.UTC().Format("2006-01-02 15:04:05")}
	file := "platen.msi"
	steps := [][]string{
		{"wixl", "-a", "x64", "-D", "Files=.", "-o", file, "platen.wxs"},
		{"msibuild", file},
	}
	for _, query := range queries(r) {
		steps[1] = append(steps[1], "-q", query)
	}
	code, err := packageCode(r, dir)
	if err != nil {
		return err
	}
	steps = append(steps, []string{"msibuild", file, "-s", product.Name + " " + r.Version, product.Vendor, "x64;1033", code})
	for _, step := range steps {
		if _, err := tool.Run(ctx, dir, nil, "faketime", append(append([]string{}, clock...), step...)...); err != nil {
			return err
		}
	}
	return nil
}

// packageCode is the GUID of exactly this package: another one for other content, the same one for the same.
func packageCode(r product.Release, dir string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, queries(r))
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if entry.Name() == "platen.msi" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, entry.Name(), len(content))
		sum.Write(content)
	}
	return detection.Code("package/" + r.Version + "/" + hex.EncodeToString(sum.Sum(nil))), nil
}

// The types of custom actions that are used (Windows Installer: "Summary List of All Custom Action Types").
const (
	installedProgram = 18
	setProperty      = 51
	ignoreExit       = 64
	rollback         = 256
	inScript         = 1024
	noImpersonate    = 2048
)

// queries are what wixl cannot say, in the SQL of Windows Installer. It knows no escapes in texts; none of ours has an apostrophe.
func queries(r product.Release) []string {
	var list []string
	add := func(format string, a ...any) { list = append(list, fmt.Sprintf(format, a...)) }

	// With a version in the table Windows Installer compares versions; a row of hashes is for files without one.
	for _, p := range programs {
		add("UPDATE `File` SET `Version` = '%s', `Language` = '1033' WHERE `File` = '%s'", r.FileVersion(), p.key)
		add("DELETE FROM `MsiFileHash` WHERE `File_` = '%s'", p.key)
	}
	// Names of more than 8.3 characters need a short one as well.
	add("UPDATE `File` SET `FileName` = 'PLATEN~1.EXE|platen-window.exe' WHERE `File` = 'platen_window.exe'")
	add("UPDATE `File` SET `FileName` = 'PLATEN~2.EXE|platen-deploy.exe' WHERE `File` = 'platen_deploy.exe'")
	add("UPDATE `File` SET `FileName` = 'THIRD-~1.TXT|%s' WHERE `File` = 'notices.txt'", product.NoticesFile)

	// The properties that an installation with raised rights takes from whoever starts it. What the registry says it looks up
	// itself: PREV_ is not among them, and the user interface's sequence leaves the search, and what needs it, to the other one.
	secure := []string{"OLDERFOUND", "NEWERFOUND"}
	for _, p := range Properties() {
		secure = append(secure, p.Name)
	}
	add("DELETE FROM `InstallUISequence` WHERE `Action` = 'AppSearch'")
	add("DELETE FROM `InstallUISequence` WHERE `Action` = 'LaunchConditions'")
	add("UPDATE `Property` SET `Value` = '%s' WHERE `Property` = 'SecureCustomProperties'", strings.Join(secure, ";"))

	// A component with a condition is judged again by a repair (64, transitive), so that settings can be changed in place. At a
	// removal all of them take part, or one whose value somebody has deleted would stay registered.
	const registry64 = 4 + 256 // the key path is a registry value; 64-bit
	conditions := map[string]string{"C_run": "NOT " + is("AUTOSTART", "0", "no")}
	names := []string{"C_run"}
	for _, p := range remembered() {
		conditions["C_"+p.Name] = p.Name
		names = append(names, "C_"+p.Name)
		add("UPDATE `CustomAction` SET `Target` = '' WHERE `Action` = 'forget_%s'", p.Name) // wixl takes no empty value
	}
	for _, name := range names {
		add("UPDATE `Component` SET `Condition` = '%s OR %s', `Attributes` = %d WHERE `Component` = '%s'", conditions[name], leaving, registry64+64, name)
	}

	for _, a := range actions() {
		if a.Execute == "rollback" { // wixl leaves out that it is (256), and that it waits for its turn (1024)
			add("UPDATE `CustomAction` SET `Type` = %d WHERE `Action` = '%s'", installedProgram+ignoreExit+rollback+inScript+noImpersonate, a.Name)
		}
	}

	// An upgrade replaces every version up to this one, this one included (512): 1.2.3-rc.1 and 1.2.3 are the same to it.
	add("DELETE FROM `Upgrade` WHERE `ActionProperty` = 'OLDERFOUND'") // the attributes are part of its key
	add("INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMin`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('%s', '0.0.0', '%s', %d, 'OLDERFOUND')",
		product.UpgradeCode, r.Windows(), 256+512)
	// A Start menu entry is started minimised (7): older Windows opens a console for the resident.
	add("UPDATE `Shortcut` SET `ShowCmd` = 7 WHERE `Shortcut` = 'menu'")
	return list
}
