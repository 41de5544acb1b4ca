package scimclient

import "strings"

// The messages' schemas.
const (
	urnUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	// urnOld stands in every group that Entra makes.
	urnOld = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
)

// change is one attribute that changes. An empty value removes it.
type change struct {
	path, value string
	fresh       bool // it was not there before
}

func (c *Client) patch(operations []any) map[string]any {
	return map[string]any{"schemas": []any{urnPatch}, "Operations": operations}
}

func operation(op, path string, value any) map[string]any {
	o := map[string]any{"op": op}
	if path != "" {
		o["path"] = path
	}
	if value != nil {
		o["value"] = value
	}
	return o
}

// operations writes changes as the style does: with capitals and one operation each, or, with the flag, what needs no condition in one
// operation with dotted names.
func (c *Client) operations(changes []change) []any {
	var list []any
	together := map[string]any{}
	for _, ch := range changes {
		switch {
		case ch.value == "":
			list = append(list, operation(c.op("Remove"), ch.path, nil))
		case c.o.Style == EntraStrict && !strings.Contains(ch.path, "["):
			together[ch.path] = ch.value
		case ch.fresh:
			list = append(list, operation(c.op("Add"), ch.path, ch.value))
		default:
			list = append(list, operation(c.op("Replace"), ch.path, ch.value))
		}
	}
	if len(together) > 0 {
		list = append(list, operation("replace", "", together))
	}
	return list
}

func (c *Client) op(name string) string {
	if c.o.Style == Entra {
		return name
	}
	return strings.ToLower(name)
}

// truth switches a person: Entra writes a text with a capital, and only with the flag a truth value.
func (c *Client) truth(active bool) []any {
	switch c.o.Style {
	case EntraStrict, Okta:
		return []any{operation("replace", "", map[string]any{"active": active})}
	default:
		text := "False"
		if active {
			text = "True"
		}
		return []any{operation("Replace", "active", text)}
	}
}

// memberOperations adds and removes members. Without the flag Entra names those that go in the value, which no RFC knows.
func (c *Client) memberOperations(come, gone []string) (list []any) {
	refs := func(ids []string) (members []any) {
		for _, id := range ids {
			member := map[string]any{"value": id}
			if c.o.Style == Entra {
				member["$ref"] = nil
			}
			members = append(members, member)
		}
		return members
	}
	if len(come) > 0 {
		list = append(list, operation(c.op("Add"), "members", refs(come)))
	}
	switch {
	case len(gone) == 0:
	case c.o.Style == Entra:
		list = append(list, operation("Remove", "members", refs(gone)))
	default:
		for _, id := range gone {
			list = append(list, operation("remove", `members[value eq "`+id+`"]`, nil))
		}
	}
	return list
}

// whole is a new person.
func (c *Client) whole(p Person) map[string]any {
	o := map[string]any{
		"schemas": []any{urnUser, enterprise, cards}, "active": !p.Disabled, "roles": []any{},
		"meta": map[string]any{"resourceType": "User"},
	}
	name, work, other := map[string]any{}, map[string]any{}, map[string]any{}
	for _, m := range p.mapped() {
		path, value := m[0], m[1]
		switch {
		case value == "":
		case strings.HasPrefix(path, "name."):
			name[strings.TrimPrefix(path, "name.")] = value
		case strings.HasPrefix(path, "emails["):
			work = map[string]any{"primary": true, "type": "work", "value": value}
		case strings.HasPrefix(path, "addresses["):
			other = map[string]any{"type": "other", "formatted": value, "primary": false}
		case strings.HasPrefix(path, enterprise), strings.HasPrefix(path, cards):
			urn, attribute := path[:strings.LastIndexByte(path, ':')], path[strings.LastIndexByte(path, ':')+1:]
			extension, _ := o[urn].(map[string]any)
			if extension == nil {
				extension = map[string]any{}
				o[urn] = extension
			}
			extension[attribute] = value
		default:
			o[path] = value
		}
	}
	if len(name) > 0 {
		o["name"] = name
	}
	if len(work) > 0 {
		o["emails"] = []any{work}
	}
	if len(other) > 0 {
		o["addresses"] = []any{other}
	}
	return o
}

func (c *Client) wholeGroup(g Group) map[string]any {
	o := map[string]any{"schemas": []any{urnGroup}, "displayName": g.Name, "externalId": g.ID}
	if c.o.Style != Okta {
		o["schemas"] = []any{urnGroup, urnOld}
		o["members"] = []any{}
		o["meta"] = map[string]any{"resourceType": "Group"}
	}
	return o
}
