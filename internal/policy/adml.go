package policy

import (
	"fmt"
	"slices"
	"strings"
)

// texts are all texts of the templates in one language.
type texts struct {
	displayName, description, supported string
	categories                          map[string]words  // by category
	enforced, recommended               string            // ends of the explanations
	recommendedName                     string            // display name of a recommended policy, with %s for the setting's
	policies                            map[string]words  // by setting
	choices                             map[string]string // by setting_choice
}

// words are the texts of one entry.
type words struct {
	name  string
	help  string
	label string // before the field, where there is one
}

// languages has the texts by the name of the folder that Windows looks for them in.
func languages() map[string]texts {
	return map[string]texts{"en-US": english(), "de-DE": german(), "fr-FR": french(), "es-ES": spanish()}
}

// Languages lists the languages of the templates, the one that management systems fall back to first.
func Languages() []string { return []string{"en-US", "de-DE", "fr-FR", "es-ES"} }

// ADML has the texts of ADMX in one of Languages.
func ADML(language string) ([]byte, error) {
	t, ok := languages()[language]
	if !ok {
		return nil, fmt.Errorf("there are no texts in %q, only in %s", language, strings.Join(Languages(), ", "))
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<policyDefinitionResources xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="` + admxRevision + `" schemaVersion="1.0">
  <displayName>` + escape(t.displayName) + `</displayName>
  <description>` + escape(t.description) + `</description>
  <resources>
    <stringTable>
`)
	line := func(id, text string) { fmt.Fprintf(&b, "      <string id=\"%s\">%s</string>\n", id, escape(text)) }
	line(supportedOn, t.supported)
	line(categoryRoot, "Platen")
	for _, c := range []string{categoryClient, categoryRecommended, categoryDeploy} {
		line(c, t.categories[c].name)
		line(c+"_Help", t.categories[c].help)
	}
	var written []string
	for _, p := range policies() {
		w := t.policies[p.text]
		switch p.category {
		case categoryRecommended:
			line(p.name, fmt.Sprintf(t.recommendedName, w.name))
			line(p.name+"_Help", w.help+"\n\n"+t.recommended)
		case categoryDeploy:
			line(p.name, w.name)
			line(p.name+"_Help", w.help)
		default:
			line(p.name, w.name)
			line(p.name+"_Help", w.help+"\n\n"+t.enforced)
		}
		if slices.Contains(written, p.text) {
			continue
		}
		written = append(written, p.text)
		for _, c := range p.choices {
			line(p.text+"_"+c, t.choices[p.text+"_"+c])
		}
	}
	b.WriteString("    </stringTable>\n    <presentationTable>\n")
	for _, p := range policies() {
		if field := p.field(escape(t.policies[p.text].label)); field != "" {
			fmt.Fprintf(&b, "      <presentation id=\"%s\">\n        %s\n      </presentation>\n", p.name, field)
		}
	}
	b.WriteString("    </presentationTable>\n  </resources>\n</policyDefinitionResources>\n")
	return []byte(b.String()), nil
}

// field is what the editor shows for the policy's value, "" for one that is only on or off.
func (p policy) field(label string) string {
	switch p.shape {
	case shapeText:
		return fmt.Sprintf(`<textBox refId="%s"><label>%s</label></textBox>`, p.value, label)
	case shapeList:
		return fmt.Sprintf(`<multiTextBox refId="%s">%s</multiTextBox>`, p.value, label)
	case shapeChoice:
		return fmt.Sprintf(`<dropdownList refId="%s" noSort="true" defaultItem="0">%s</dropdownList>`, p.value, label)
	case shapeBool:
	}
	return ""
}

// escape writes a text for XML, between tags and in double quotes.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
}
