package google

import (
	"net/http"
	"slices"
	"strings"
)

func (e *Emulator) group(key string) int {
	return slices.IndexFunc(e.dir.Groups, func(g Group) bool { return key == g.ID || strings.EqualFold(key, g.Email) })
}

func (e *Emulator) listGroups(r *http.Request) (object, error) {
	if err := known(r, "customer", "orderBy", "sortOrder"); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.customer(r.URL.Query().Get("customer")); err != nil {
		return nil, err
	}
	return paged(r, "admin#directory#groups", "groups", usualGroups, mostGroups, slices.Clone(e.dir.Groups), func(g Group) string { return g.Email }, func(g Group) object {
		return object{
			"kind": "admin#directory#group", "id": g.ID, "etag": `"g"`, "email": g.Email, "name": g.Name, "adminCreated": true,
			"directMembersCount": len(g.Members), "description": "",
		}
	})
}

func (e *Emulator) listMembers(r *http.Request) (object, error) {
	if err := known(r, "includeDerivedMembership", "roles"); err != nil {
		return nil, err
	}
	if r.URL.Query().Get("includeDerivedMembership") == "true" {
		return nil, invalid("The emulator lists direct members only.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.group(r.PathValue("key"))
	if at < 0 {
		return nil, notFound("groupKey")
	}
	members := slices.Clone(e.dir.Groups[at].Members)
	for i := range members {
		members[i] = e.member(members[i])
	}
	return paged(r, "admin#directory#members", "members", usualGroups, mostGroups, members, func(m Member) string { return m.Type + m.ID }, func(m Member) object {
		row := object{"kind": "admin#directory#member", "etag": `"m"`, "id": m.ID, "role": m.Role, "type": m.Type}
		if m.Type != "CUSTOMER" {
			row["email"], row["status"] = m.Email, "ACTIVE"
		}
		return row
	})
}

// member fills in what a member lacks.
func (e *Emulator) member(m Member) Member {
	if m.Type == "" {
		m.Type = "USER"
	}
	if m.Role == "" {
		m.Role = "MEMBER"
	}
	if m.ID != "" {
		return m
	}
	switch m.Type {
	case "GROUP":
		m.ID = GroupID(m.Email)
		if at := e.group(m.Email); at >= 0 {
			m.ID = e.dir.Groups[at].ID
		}
	case "CUSTOMER":
		m.ID = e.dir.Customer
	default:
		m.ID = UserID(m.Email)
		if at := e.find(m.Email); at >= 0 {
			m.ID = e.dir.Users[at].ID()
		}
	}
	return m
}

func unitObject(path string) object {
	parent := path[:max(strings.LastIndex(path, "/"), 0)]
	if parent == "" {
		parent = "/"
	}
	return object{
		"kind": "admin#directory#orgUnit", "name": path[strings.LastIndex(path, "/")+1:], "orgUnitPath": path, "orgUnitId": "id:" + GroupID(path),
		"parentOrgUnitPath": parent, "blockInheritance": false,
	}
}

func (e *Emulator) listOrgUnits(r *http.Request) (object, error) {
	if err := known(r, "type", "orgUnitPath"); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.customer(r.PathValue("customer")); err != nil {
		return nil, err
	}
	q := r.URL.Query()
	top := "/" + strings.Trim(q.Get("orgUnitPath"), "/")
	if !e.hasUnit(top) {
		return nil, &refusal{status: http.StatusNotFound, reason: "notFound", message: "Org unit not found"}
	}
	var list []any
	for _, path := range e.dir.OrgUnits {
		if !below(path, top) || path == top {
			continue
		}
		if rest := strings.TrimPrefix(path[len(strings.TrimSuffix(top, "/")):], "/"); q.Get("type") == "all" || !strings.Contains(rest, "/") {
			list = append(list, unitObject(path))
		}
	}
	return object{"kind": "admin#directory#orgUnits", "etag": `"o"`, "organizationUnits": list}, nil
}

func (e *Emulator) getOrgUnit(r *http.Request) (object, error) {
	if err := known(r); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.customer(r.PathValue("customer")); err != nil {
		return nil, err
	}
	path := "/" + strings.Trim(r.PathValue("path"), "/")
	if !e.hasUnit(path) {
		return nil, &refusal{status: http.StatusNotFound, reason: "notFound", message: "Org unit not found"}
	}
	return unitObject(path), nil
}

func schemaObject(s Schema) object {
	fields := make([]any, len(s.Fields))
	for i, f := range s.Fields {
		shown := object{"kind": "admin#directory#schema#fieldspec", "fieldId": GroupID(f.Name), "fieldName": f.Name, "displayName": f.Name, "fieldType": "STRING", "readAccessType": "ADMINS_AND_SELF"}
		if f.Type != "" {
			shown["fieldType"] = f.Type
		}
		if f.ReadAccess != "" {
			shown["readAccessType"] = f.ReadAccess
		}
		if f.MultiValued {
			shown["multiValued"] = true // left out where it is false
		}
		fields[i] = shown
	}
	return object{"kind": "admin#directory#schema", "schemaId": GroupID(s.Name), "schemaName": s.Name, "displayName": s.Name, "fields": fields}
}

func (e *Emulator) listSchemas(r *http.Request) (object, error) {
	if err := known(r); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.customer(r.PathValue("customer")); err != nil {
		return nil, err
	}
	body := object{"kind": "admin#directory#schemas", "etag": `"s"`}
	if len(e.dir.Schemas) > 0 {
		list := make([]any, len(e.dir.Schemas))
		for i, s := range e.dir.Schemas {
			list[i] = schemaObject(s)
		}
		body["schemas"] = list
	}
	return body, nil
}

func (e *Emulator) getSchema(r *http.Request) (object, error) {
	if err := known(r); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.customer(r.PathValue("customer")); err != nil {
		return nil, err
	}
	for _, s := range e.dir.Schemas {
		if s.Name == r.PathValue("key") || GroupID(s.Name) == r.PathValue("key") {
			return schemaObject(s), nil
		}
	}
	return nil, notFound("schemaKey")
}
