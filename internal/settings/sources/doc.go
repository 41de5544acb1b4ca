// Package sources reads the settings of a workstation and remembers where each came from. What the settings are is
// internal/settings' table; what their values mean is said where they are used.
//
// A person's client asks these sources in this order, the first that has a setting wins (Person):
//
//	policy       HKLM, then HKCU \Software\Policies\Platen · /Library/Managed Preferences · /etc/platen/policy.conf
//	flag         --server-url
//	environment  PLATEN_SERVER_URL
//	user file    ~/.config/platen/platen.conf · ~/Library/Application Support/Platen/platen.conf · %AppData%\Platen\platen.conf
//	recommended  ...\Policies\Platen\Recommended, HKLM, then HKCU · dictionary Defaults of the profile · /etc/platen/recommended.conf
//	machine file /etc/platen/platen.conf · /Library/Application Support/Platen/platen.conf · %ProgramData%\Platen\platen.conf
//	site file    /etc/platen/site.conf (Linux: for a package of one's own that brings settings)
//	installer    HKLM\Software\Platen (Windows: properties of the MSI)
//	package name the name of the MSI or pkg that was installed: platen--print.example.org.msi
//	discovery    DNS SRV _platen._tcp, then https://print.DOMAIN/.well-known/platen, in the computer's search domains
//	default
//
// Package name and discovery are asked only where nothing above names a server, and a person confirms what they name
// (Origin.Unconfirmed).
//
// The privileged service asks the computer's own sources alone (Machine): nothing that a user, the environment, a file's name
// or the network says, and only files that nobody but root or administrators can write.
//
// A bad value is never passed over in silence: Find reports what was read, what it stands against, and what could not be read.
package sources
