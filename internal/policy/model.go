package policy

import (
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// The names that management systems know the templates by. Changing one breaks policies that are in use.
const (
	admxNamespace = "PlatenProject.Policies.Platen"
	admxPrefix    = "platen"
	admxRevision  = "1.0" // grows when policies are added

	categoryRoot        = "Platen"
	categoryClient      = "PlatenClient"
	categoryRecommended = "PlatenRecommended"
	categoryDeploy      = "PlatenDeploy"
	supportedOn         = "SUPPORTED_Platen"

	recommendedSuffix = "_Recommended"
)

// shape is how a policy keeps its value.
type shape int

const (
	shapeText shape = iota
	shapeChoice
	shapeBool
	shapeList
)

// policy is one entry of the templates.
type policy struct {
	name     string // of the policy; letters, digits and underscores
	text     string // key of its texts: the setting's name
	value    string // name of the registry value, and id of the element
	key      string // registry key without the hive
	category string
	class    string // Machine, or Both where a user's own policy is read, too
	shape    shape
	choices  []string
}

// policies lists every entry of the templates: each setting enforced, each recommended, and the secret of the service.
func policies() []policy {
	key := strings.TrimPrefix(settings.RegistryPolicyMachine, `HKLM\`)
	var list []policy
	for _, level := range []struct{ suffix, key, category string }{
		{"", key, categoryClient},
		{recommendedSuffix, key + `\` + settings.RegistryRecommended, categoryRecommended},
	} {
		for _, s := range settings.Table() {
			list = append(list, policy{
				name: s.Name + level.suffix, text: s.Name, value: s.Name, key: level.key, category: level.category,
				class: classOf(s), shape: shapeOf(s.Kind), choices: s.Choices,
			})
		}
	}
	return append(list, policy{
		name: settings.RegistryToken, text: settings.RegistryToken, value: settings.RegistryToken,
		key: strings.TrimPrefix(settings.RegistryDeploy, `HKLM\`), category: categoryDeploy, class: classMachine, shape: shapeText,
	})
}

const (
	classMachine = "Machine"
	classBoth    = "Both"
)

// classOf tells whether a user's policy makes sense: not for what the computer's service reads, nor for what says what kind of
// computer it is.
func classOf(s settings.Setting) string {
	switch s.Name {
	case "DeviceRole", "SharedOSUsers", "MicrosoftAuthority":
		return classMachine
	}
	if s.Machine {
		return classMachine
	}
	return classBoth
}

func shapeOf(kind settings.Kind) shape {
	switch kind {
	case settings.KindChoice:
		return shapeChoice
	case settings.KindBool:
		return shapeBool
	case settings.KindList:
		return shapeList
	case settings.KindAddress, settings.KindPath, settings.KindPins, settings.KindRules, settings.KindAmount, settings.KindProxy:
	}
	return shapeText
}
