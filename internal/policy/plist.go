package policy

import (
	"fmt"
	"strings"
)

// The kinds of node of a property list; bool, string, int and []any are the others.
type (
	dict  []entry // in this order
	entry struct {
		key   string
		value any
	}
)

// plist writes a property list as macOS reads it.
func plist(root dict) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`)
	node(&b, "", root)
	b.WriteString("</plist>\n")
	return []byte(b.String())
}

func node(b *strings.Builder, indent string, value any) {
	switch v := value.(type) {
	case dict:
		b.WriteString(indent + "<dict>\n")
		for _, e := range v {
			fmt.Fprintf(b, "%s\t<key>%s</key>\n", indent, escape(e.key))
			node(b, indent+"\t", e.value)
		}
		b.WriteString(indent + "</dict>\n")
	case []any:
		b.WriteString(indent + "<array>\n")
		for _, item := range v {
			node(b, indent+"\t", item)
		}
		b.WriteString(indent + "</array>\n")
	case bool:
		fmt.Fprintf(b, "%s<%t/>\n", indent, v)
	case int:
		fmt.Fprintf(b, "%s<integer>%d</integer>\n", indent, v)
	case string:
		fmt.Fprintf(b, "%s<string>%s</string>\n", indent, escape(v))
	default:
		panic(fmt.Sprintf("policy: a property list cannot have a %T", value)) // a mistake of ours: all callers are in this package
	}
}
