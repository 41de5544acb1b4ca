package policy

import (
	"fmt"
	"strings"
)

// TemplateName is the file name of the templates without its ending; Windows finds platen.adml by platen.admx.
const TemplateName = "platen"

// maxElement is the longest text a policy takes.
const maxElement = maxText

// ADMX is the Group Policy template: which policies there are and where they stand in the registry. Its texts are in ADML. It
// refers to no other template, so that management systems take it alone.
func ADMX() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<policyDefinitions xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="` + admxRevision + `" schemaVersion="1.0">
  <policyNamespaces>
    <target prefix="` + admxPrefix + `" namespace="` + admxNamespace + `"/>
  </policyNamespaces>
  <resources minRequiredRevision="` + admxRevision + `"/>
  <supportedOn>
    <definitions>
      <definition name="` + supportedOn + `" displayName="$(string.` + supportedOn + `)"/>
    </definitions>
  </supportedOn>
  <categories>
    <category name="` + categoryRoot + `" displayName="$(string.` + categoryRoot + `)"/>
`)
	for _, c := range []string{categoryClient, categoryRecommended, categoryDeploy} {
		fmt.Fprintf(&b, `    <category name="%s" displayName="$(string.%s)" explainText="$(string.%s_Help)">
      <parentCategory ref="%s"/>
    </category>
`, c, c, c, categoryRoot)
	}
	b.WriteString("  </categories>\n  <policies>\n")
	for _, p := range policies() {
		p.write(&b)
	}
	b.WriteString("  </policies>\n</policyDefinitions>\n")
	return []byte(b.String())
}

// write writes the policy. Nothing in it needs escaping: it comes from tables of ours, and a test reads it back.
func (p policy) write(b *strings.Builder) {
	fmt.Fprintf(b, `    <policy name="%s" class="%s" displayName="$(string.%s)" explainText="$(string.%s_Help)"`, p.name, p.class, p.name, p.name)
	if p.shape != shapeBool {
		fmt.Fprintf(b, ` presentation="$(presentation.%s)"`, p.name)
	}
	fmt.Fprintf(b, ` key="%s"`, p.key)
	if p.shape == shapeBool {
		fmt.Fprintf(b, ` valueName="%s"`, p.value)
	}
	fmt.Fprintf(b, ">\n      <parentCategory ref=\"%s\"/>\n      <supportedOn ref=\"%s\"/>\n", p.category, supportedOn)
	switch p.shape {
	case shapeBool:
		b.WriteString("      <enabledValue><decimal value=\"1\"/></enabledValue>\n      <disabledValue><decimal value=\"0\"/></disabledValue>\n")
	case shapeText:
		p.element(b, `<text id="%s" valueName="%s" required="true" maxLength="%d"/>`, p.value, p.value, maxElement)
	case shapeList:
		p.element(b, `<multiText id="%s" valueName="%s" required="true"/>`, p.value, p.value)
	case shapeChoice:
		var items strings.Builder
		for _, c := range p.choices {
			fmt.Fprintf(&items, "\n          <item displayName=\"$(string.%s_%s)\"><value><string>%s</string></value></item>", p.text, c, c)
		}
		p.element(b, "<enum id=\"%s\" valueName=\"%s\" required=\"true\">%s\n        </enum>", p.value, p.value, items.String())
	}
	b.WriteString("    </policy>\n")
}

func (policy) element(b *strings.Builder, format string, args ...any) {
	fmt.Fprintf(b, "      <elements>\n        "+format+"\n      </elements>\n", args...)
}
