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
// The start of the service is not waited for: one that refuses to run must not keep the client from people. One that cannot be
// started at all (a broken program) still undoes the installation.
//
// # What only a real Windows can prove
//
// Wine 8 shows files, registry, services, conditions, custom actions, repair, and upgrades. It does not show:
//
//   - that a failed or killed upgrade brings the old version back (it rolls back the new product only, and nothing after a kill);
//   - UPGRADINGPRODUCTCODE, by which an upgrade does not purge (the test sets it by hand);
//   - the texts of launch conditions in the log, exit codes, the FilesInUse question, elevation, restricted properties;
//   - costing by file version, the Restart Manager, group policy and Intune;
//   - delayed start, recovery actions, access lists, and platen-deploy running as SYSTEM: under Wine every file belongs to the one
//     person there is, and the service refuses such folders.
//
// docs/release-checklist.md has the steps.
package msi
