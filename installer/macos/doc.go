// Package macos makes Platen's package for macOS, on any system, of programs that were built elsewhere:
//
//	/Applications/Platen.app                                 platen and platen-window, for arm64 and x86_64 in one file
//	/Library/Application Support/Platen/bin/platen-deploy    the service, out of reach of everybody but root
//	/Library/Application Support/Platen/platen.conf.default  becomes platen.conf where there is none
//	/Library/Application Support/Platen/uninstall.sh         removes everything, or all but settings with KEEPDATA=1
//	/Library/LaunchAgents/org.platenprint.platen.plist       platen run --at-logon in every session with a screen
//	/Library/LaunchDaemons/org.platenprint.deploy.plist      the service
//	/private/etc/paths.d/platen                              "platen" in every shell
//
// platen with its tray icon and platen-window need Apple's frameworks, so a Mac compiles them (build-on-mac.sh). The programs
// come in with product.Input.Programs: PROGRAMS/amd64/platen ... PROGRAMS/arm64/platen-deploy (or darwin-amd64, darwin-arm64).
// Without a window there is no package, unless Options.WithoutWindow says that this is meant; its name then says so, too.
//
// For code signing there are two steps: Stage writes Platen.app and platen-deploy, somebody signs them on a Mac, and Build
// takes them from there (Options.Staged).
package macos
