package osuser

import (
	"strings"

	"github.com/platenprint/platen/auth/usermap"
)

// adNode begins the name of a directory node of Active Directory in macOS: "/Active Directory/CORP/corp.example.org".
const adNode = "/Active Directory/"

// withNodes notes what macOS' directory service says of an account: the output of
// `dscl /Search -read /Users/NAME AppleMetaNodeLocation OriginalNodeName`. An account of the local node is local, unless
// it is a mobile account, whose original node is the directory it was copied from.
func (a Account) withNodes(dscl string) Account {
	nodes := dsclValues(dscl)
	node := nodes["OriginalNodeName"]
	if node == "" {
		node = nodes["AppleMetaNodeLocation"]
	}
	switch {
	case strings.HasPrefix(node, adNode):
		domain, realm, _ := strings.Cut(strings.TrimPrefix(node, adNode), "/")
		a.Kind, a.JoinDomain = usermap.KindDomain, domain
		if strings.Contains(realm, ".") {
			a.JoinRealm = realm
		}
	case strings.HasPrefix(node, "/Local/"):
		a.Kind = usermap.KindLocal
	}
	return a
}

// dsclValues reads "Key: value" lines; a value that does not fit stands indented on the next line.
func dsclValues(text string) map[string]string {
	values := map[string]string{}
	var key string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, " ") {
			if key != "" && values[key] == "" {
				values[key] = strings.TrimSpace(line)
			}
			continue
		}
		var value string
		key, value, _ = strings.Cut(line, ":")
		values[key] = strings.TrimSpace(value)
	}
	return values
}
