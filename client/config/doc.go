// Package config finds the client's settings and remembers where each came from.
//
// There is one table (table.go): name, meaning, default and check of every setting. The name is the key in files, the
// value name in the Windows registry and the key in a macOS profile; the names of the flag and of the environment
// variable follow from it. docs/settings.md is generated from the table.
//
// Sources are asked in this order, the first that has a setting wins:
//
//	policy       HKLM, then HKCU \Software\Policies\Platen · /Library/Managed Preferences · /etc/platen/policy.conf
//	flag         --server-url
//	environment  PLATEN_SERVER_URL
//	user file    ~/.config/platen/platen.conf · ~/Library/Application Support/Platen/platen.conf · %AppData%\Platen\platen.conf
//	machine file /etc/platen/platen.conf · /Library/Application Support/Platen/platen.conf · %ProgramData%\Platen\platen.conf
//	installer    HKLM\Software\Platen (Windows; packages elsewhere write the machine file)
//	discovery    DNS SRV _platen._tcp in the computer's search domains, for ServerURL only, and only when nothing above set it
//	default
//
// A bad value is never passed over in silence. Where it decides whom the client trusts (Setting.Critical) the setting is
// broken: the next source does not stand in for it, and Load says so in its error. Elsewhere the default holds and a
// warning names value, setting and origin.
//
// No setting is a secret, and none may become one: all of them are shown by "platen config" and in the support file.
package config
