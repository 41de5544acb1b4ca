package policy

// MunkiPackage is a package for macOS as Munki wants to know it.
type MunkiPackage struct {
	Name, Description, Developer string
	Version                      string
	File                         string // name in the repository
	SHA256                       string // in hex
	Size                         int64  // bytes
	Receipt                      string // identifier of the package
	Uninstall                    string // program on the computer that removes it
}

// Munki writes the package's pkginfo.
func Munki(p MunkiPackage) []byte {
	return plist(dict{
		{"autoremove", false},
		{"catalogs", []any{"testing"}}, //nolint:misspell // Munki's word
		{"category", "Printing"},
		{"description", p.Description},
		{"developer", p.Developer},
		{"display_name", p.Name},
		{"installer_item_hash", p.SHA256},
		{"installer_item_location", p.File},
		{"installer_item_size", int((p.Size + 1023) / 1024)},
		{"minimum_os_version", "12.0"},
		{"name", p.Name},
		{"receipts", []any{dict{{"packageid", p.Receipt}, {"version", p.Version}}}}, //nolint:misspell // Munki's word
		{"unattended_install", true},
		{"unattended_uninstall", true},
		{"uninstall_method", "uninstall_script"},
		{"uninstall_script", "#!/bin/sh\nexec '" + p.Uninstall + "'\n"},
		{"uninstallable", true},
		{"version", p.Version},
	})
}
