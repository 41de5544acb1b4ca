// Package product says what Platen's packages are called, once for all formats: names, identifiers that must never change,
// and how a version is written in each of them.
package product

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What people and package managers read.
const (
	Name        = "Platen"
	Vendor      = "Platen Project"
	Maintainer  = "Platen Project <packages@platenprint.org>"
	Homepage    = "https://github.com/platenprint/platen"
	License     = "Apache-2.0"
	Summary     = "Print client: who prints, and what they have left"
	Description = "Platen keeps the person at this computer signed in at the print server and shows their balance.\n" +
		"It consists of a small resident program, a window that is started on demand, and a service that\n" +
		"vouches to the server for who is logged on."
	ServerSummary     = "Print server: accounts, balances and sign-in for printing"
	ServerDescription = "Platen's server keeps people, names and balances, takes them from any directory, and signs people in\n" +
		"at computers, in the browser and at printers."
)

// Identifiers. Systems know the product by them: changing one makes another product of it.
const (
	// UpgradeCode is what all versions of the MSI share.
	UpgradeCode = "{9D0A4C3E-6B0F-4C53-8E0B-6C1B3F8C5A20}"
	// Identifier is the bundle and package identifier on macOS and the id of the desktop file.
	Identifier = "org.platenprint.platen"
	// DeployLabel is the launchd label of the service on macOS.
	DeployLabel = "org.platenprint.deploy"
	// ClientPackage and ServerPackage are the names of the deb and the rpm.
	ClientPackage = "platen"
	ServerPackage = "platen-server"
	// WindowsService is the name of platen-deploy in Windows' service manager.
	WindowsService = "PlatenDeploy"
)

// Release is one version of the product.
type Release struct {
	Version string    // semantic version without v: 1.2.3 or 1.2.3-rc.1
	Time    time.Time // what every file in the packages is dated with (SOURCE_DATE_EPOCH), UTC, whole seconds
	Commit  string    // source revision, may be empty
}

var semver = regexp.MustCompile(`^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,4})(?:-([a-z]+)(?:\.(\d{1,2}))?)?$`)

// Parse checks a version: MAJOR.MINOR.PATCH, each within what Windows Installer can compare (255.255.65535), and perhaps
// -WORD or -WORD.N for one that comes before it (-dev, -rc.1).
func Parse(version string) (Release, error) {
	m := semver.FindStringSubmatch(version)
	if m == nil {
		return Release{}, fmt.Errorf("version %q: write MAJOR.MINOR.PATCH, perhaps with -rc.1 or -dev", version)
	}
	for i, most := range []int{255, 255, 65535} {
		if n, err := strconv.Atoi(m[i+1]); err != nil || n > most {
			return Release{}, fmt.Errorf("version %q: Windows Installer compares no more than 255.255.65535", version)
		}
	}
	return Release{Version: version}, nil
}

// Windows is the version as Windows Installer compares it: three numbers. A version before a release has the release's
// numbers, so it is replaced by the release only because the MSI allows an upgrade to the same version.
func (r Release) Windows() string {
	numbers, _, _ := strings.Cut(r.Version, "-")
	return numbers
}

// FileVersion is the version resource of Windows programs: four numbers.
func (r Release) FileVersion() string { return r.Windows() + ".0" }

// Linux is the version as dpkg and rpm compare it: what comes before a release has a tilde, 1.2.3~rc.1.
func (r Release) Linux() string { return strings.Replace(r.Version, "-", "~", 1) }

// Epoch is Time in seconds since 1970, as SOURCE_DATE_EPOCH has it.
func (r Release) Epoch() int64 { return r.Time.Unix() }

// ErrNoPrograms says that a program that belongs into a package was not built.
var ErrNoPrograms = errors.New("a program is missing")

// NoticesFile is what the licences of what is others' are called in a package.
const NoticesFile = "THIRD-PARTY-NOTICES.txt"

// Input is what a package is made of.
type Input struct {
	Release  Release
	Arch     string // as Go says: amd64, arm64
	Programs string // folder with the programs of this system: platen, platen-window, platen-deploy or platen-server
	Assets   string // the folder assets of the source tree (icons)
	Docs     string // the folder docs of the source tree
	License  string // path of the LICENSE file
	Notices  string // path of the licences of what is others' in the programs; "" leaves them out, as stand-ins have none
	Out      string // the folder in which packages are put
}
