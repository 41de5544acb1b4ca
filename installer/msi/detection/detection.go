// Package detection says how management tools tell whether a version of Platen is installed on a Windows computer: the
// identifiers that the MSI has and the traces that it leaves. It makes nothing, so that whoever writes instructions for
// administrators may import it.
package detection

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/settings"
)

// Names of what the MSI writes.
const (
	VersionValue = "Version" // value of settings.RegistryInstaller: the version as Platen writes it, such as 1.2.3-rc.1
	Folder       = `%ProgramFiles%\Platen`
	Program      = Folder + `\platen.exe`
	RunKey       = `HKLM\Software\Microsoft\Windows\CurrentVersion\Run`
	RunValue     = "Platen"
)

// Rule is how to detect one version; any one of product code, registry value and file will do.
type Rule struct {
	ProductCode string // for Intune's and SCCM's MSI rule, and msiexec /x
	UpgradeCode string // the same for all versions
	MSIVersion  string // as Windows Installer has it: three numbers
	Key, Value  string // registry, 64-bit view
	Version     string // what the value holds
	File        string // a program
	FileVersion string // what it carries, four numbers: detect "greater than or equal to"
	Service     string
}

// Of returns the rule of a release.
func Of(r product.Release) Rule {
	return Rule{
		ProductCode: Code("product/" + r.Version + "/x64"), UpgradeCode: product.UpgradeCode, MSIVersion: r.Windows(),
		Key: settings.RegistryInstaller, Value: VersionValue, Version: r.Version,
		File: Program, FileVersion: r.FileVersion(), Service: product.WindowsService,
	}
}

// Code makes a GUID, in braces, of a name: the same name has the same one for ever. It is a UUID of version 5 (RFC 9562 5.5)
// below the upgrade code.
func Code(name string) string {
	space, err := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(product.UpgradeCode))
	if err != nil {
		panic(err) // a constant
	}
	id := sha1.Sum(append(space, name...))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("{%X-%X-%X-%X-%X}", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}
