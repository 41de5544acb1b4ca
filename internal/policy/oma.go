package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// OMA is one setting of Windows' management by MDM (Policy CSP).
type OMA struct {
	Type        string `json:"@odata.type"`
	DisplayName string `json:"displayName"`
	URI         string `json:"omaUri"`
	Value       string `json:"value"`
}

// omaBetween stands between the items of a list (Policy CSP).
const omaBetween = '\uf000'

const omaString = "#microsoft.graph.omaSettingString"

// OMASettings are the values as Windows' MDM takes them: first the template itself, then each policy by its name in the template.
// Errors are those of Check.
func OMASettings(enforced, recommended []Value) ([]OMA, error) {
	list := []OMA{{omaString, "Platen: template", "./Device/Vendor/MSFT/Policy/ConfigOperations/ADMXInstall/Platen/Policy/" + TemplateName, string(ADMX())}}
	for _, level := range []struct {
		values           []Value
		category, suffix string
	}{{enforced, categoryClient, ""}, {recommended, categoryRecommended, recommendedSuffix}} {
		checked, err := Check(level.values)
		if err != nil {
			return nil, err
		}
		for _, v := range checked {
			list = append(list, OMA{
				omaString, "Platen: " + v.Name + level.suffix,
				fmt.Sprintf("./Device/Vendor/MSFT/Policy/Config/Platen~Policy~%s~%s/%s%s", categoryRoot, level.category, v.Name, level.suffix), v.oma(),
			})
		}
	}
	return list, nil
}

// oma is the policy's state with its value.
func (v Value) oma() string {
	switch shapeOf(v.kind()) {
	case shapeBool:
		if v.yes() {
			return "<enabled/>"
		}
		return "<disabled/>"
	case shapeList:
		var items []string
		for _, item := range settings.ParseList(v.Text) {
			items = append(items, escape(item))
		}
		return fmt.Sprintf(`<enabled/><data id="%s" value="%s"/>`, v.Name, strings.Join(items, fmt.Sprintf("&#x%X;", omaBetween)))
	case shapeText, shapeChoice:
	}
	return fmt.Sprintf(`<enabled/><data id="%s" value="%s"/>`, v.Name, escape(v.Text))
}

// Intune writes the values as a custom device configuration that Microsoft Graph takes (deviceManagement/deviceConfigurations).
// Errors are those of Check.
func Intune(name string, enforced, recommended []Value) ([]byte, error) {
	list, err := OMASettings(enforced, recommended)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(struct {
		Type        string `json:"@odata.type"`
		DisplayName string `json:"displayName"`
		Description string `json:"description"`
		Settings    []OMA  `json:"omaSettings"`
	}{"#microsoft.graph.windows10CustomConfiguration", settings.Visible(name), "Written by platen-server deploy-kit.", list})
	if err != nil {
		return nil, fmt.Errorf("write the settings for Intune: %w", err)
	}
	return b.Bytes(), nil
}
