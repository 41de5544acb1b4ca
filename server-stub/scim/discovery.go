package scim

import (
	"net/http"
	"strings"
)

// config answers what the server can do (RFC 7643 section 5).
func (c *call) config() error {
	supported := func(yes bool) object { return object{"supported": yes} }
	filter := supported(true)
	filter["maxResults"] = maxPage
	bulk := supported(false)
	bulk["maxOperations"], bulk["maxPayloadSize"] = 0, 0
	return c.answer(http.StatusOK, object{
		"schemas": []any{urnConfig}, "patch": supported(true), "bulk": bulk, "filter": filter, "changePassword": supported(false),
		"sort": supported(false), "etag": supported(true),
		"authenticationSchemes": []any{object{
			"type": "oauthbearertoken", "name": "Secret token", "description": "The secret token of the connection, as a bearer token", "primary": true,
		}},
		"meta": object{"resourceType": "ServiceProviderConfig", "location": c.d.BaseURL + "/ServiceProviderConfig"},
	})
}

func (c *call) types() []*resourceType { return []*resourceType{c.users, c.groups} }

func (c *call) resourceTypes() error {
	var list []any
	for _, t := range c.types() {
		list = append(list, c.describeType(t))
	}
	return c.answer(http.StatusOK, listOf(list, len(list), 1))
}

func (c *call) resourceType() error {
	for _, t := range c.types() {
		if t.name == c.id {
			return c.answer(http.StatusOK, c.describeType(t))
		}
	}
	return refuse(http.StatusNotFound, "", "there is no such type of resources")
}

func (c *call) describeType(t *resourceType) object {
	extensions := []any{}
	for _, e := range t.extensions {
		extensions = append(extensions, object{"schema": e.urn, "required": false})
	}
	return object{
		"schemas": []any{urnResourceType}, "id": t.name, "name": t.name, "endpoint": t.endpoint, "description": t.about, "schema": t.core.urn,
		"schemaExtensions": extensions, "meta": object{"resourceType": "ResourceType", "location": c.d.BaseURL + "/ResourceTypes/" + t.name},
	}
}

func (c *call) allSchemas() (list []schema) {
	for _, t := range c.types() {
		list = append(append(list, t.core), t.extensions...)
	}
	return list
}

func (c *call) schemas() error {
	var list []any
	for _, s := range c.allSchemas() {
		list = append(list, c.describeSchema(s))
	}
	return c.answer(http.StatusOK, listOf(list, len(list), 1))
}

func (c *call) schema() error {
	for _, s := range c.allSchemas() {
		if strings.EqualFold(s.urn, c.id) {
			return c.answer(http.StatusOK, c.describeSchema(s))
		}
	}
	return refuse(http.StatusNotFound, "", "there is no such schema")
}

func (c *call) describeSchema(s schema) object {
	return object{
		"schemas": []any{urnSchema}, "id": s.urn, "name": s.name, "description": s.about, "attributes": describe(s.attributes),
		"meta": object{"resourceType": "Schema", "location": c.d.BaseURL + "/Schemas/" + s.urn},
	}
}

// describe writes attributes as RFC 7643 section 7 has them. Nothing in it is null: Entra stumbles over that.
func describe(list []attribute) []any {
	out := []any{}
	for _, a := range list {
		if a.skip {
			continue
		}
		o := object{
			"name": a.name, "type": string(a.kind), "multiValued": a.multi, "description": a.about, "required": a.required, "caseExact": a.exact,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none",
		}
		if a.readOnly {
			o["mutability"] = "readOnly"
		}
		if a.secret {
			o["mutability"], o["returned"] = "writeOnly", "never"
		}
		if a.unique {
			o["uniqueness"] = "server"
		}
		if a.kind == kindReference {
			o["referenceTypes"] = []any{"uri"}
		}
		if len(a.sub) > 0 {
			o["subAttributes"] = describe(a.sub)
		}
		out = append(out, o)
	}
	return out
}

// listOf is a ListResponse (RFC 7644 section 3.4.2).
func listOf(resources []any, total, start int) object {
	if resources == nil {
		resources = []any{}
	}
	return object{"schemas": []any{urnList}, "totalResults": total, "startIndex": start, "itemsPerPage": len(resources), "Resources": resources}
}
