// Package identity says by which names macOS knows Platen: for configuration profiles, property lists and scripts. It is a
// leaf without code, so that whoever writes a profile may import it.
package identity

import "github.com/platenprint/platen/installer/product"

const (
	// Bundle is CFBundleIdentifier of Platen.app: what com.apple.notificationsettings names.
	Bundle = product.Identifier
	// Package is the receipt: pkgutil --pkg-info, --forget.
	Package = product.Identifier
	// Agent is the launchd label of the resident in every person's session.
	Agent = product.Identifier
	// Deploy is the launchd label of the service.
	Deploy = product.DeployLabel
	// LabelPrefix begins all labels: for a rule of com.apple.servicemanagement (RuleType LabelPrefix).
	LabelPrefix = "org.platenprint."
)

// Labels are the background items of the package: for rules of com.apple.servicemanagement (RuleType Label), so that macOS
// neither asks about them nor lets people turn them off.
func Labels() []string { return []string{Agent, Deploy} }

// Where things are.
const (
	App         = "/Applications/Platen.app"
	Programs    = App + "/Contents/MacOS" // platen, platen-window
	Support     = "/Library/Application Support/Platen"
	DeployTool  = Support + "/bin/platen-deploy"
	Uninstaller = Support + "/uninstall.sh"
	AgentPlist  = "/Library/LaunchAgents/" + Agent + ".plist"
	DeployPlist = "/Library/LaunchDaemons/" + Deploy + ".plist"
	PathsFile   = "/private/etc/paths.d/platen" // puts Programs into the PATH of shells; see path_helper(8)
	// InstallerFile holds the name of the package that was installed last, if it names a server.
	InstallerFile = Support + "/installer-file"
)
