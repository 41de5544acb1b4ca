// Package msi makes the Windows package: one MSI per release, per machine, silent without a transform. platen.wxs is what wixl
// makes the database of; tables.go adds, in the SQL of Windows Installer, what wixl cannot say; properties.go and actions.go are
// the tables of what administrators may set and of what runs.
//
// # Decisions
//
// An upgrade removes the old product right after InstallInitialize (1501), within the transaction: when the new one fails, the
// old one is restored. Files are costed before that, so a file whose version is not higher would be removed and not copied;
// REINSTALLMODE=amus copies always, and File.Version is set all the same for whoever looks.
//
// Properties are remembered through PREV_ properties (AppSearch would overwrite what stands on the command line if it searched
// the property itself); "-" forgets one. A package that is called platen--HOST.msi is remembered too, and a plainly named
// upgrade does not forget that.
//
// Custom actions run the installed platen-deploy as SYSTEM with fixed arguments; no folder in which it could lie can be named from
// outside. Their exit code is in the log and changes nothing: a missing subcommand or a person who holds a program open does not
// fail an installation.
//
// Recovery and delayed start are set by `platen-deploy install`, not by the tables MsiServiceConfig and
// MsiServiceConfigFailureActions: the latter is known to fail whole installations (error 1939; WiX warns of it), and so the same
// code does it for every way of installation.
//
// The access lists of %ProgramData%\Platen are not the package's either. Every user may make folders in %ProgramData%, so one
// could be prepared, and MSI would take it over. The service makes its folders at its first start, which is part of the
// installation, and refuses those of another owner (printqueue/private).
//
// # What only a real Windows can prove
//
// Wine 8 shows files, registry, services, conditions, custom actions and upgrades. It does not show: file costing by version, the Restart
// Manager, restricted properties of users without rights, ImagePath as Windows writes it, service recovery, access lists, an
// installation that is killed, group policy. docs/release-checklist.md has the steps.
package msi
