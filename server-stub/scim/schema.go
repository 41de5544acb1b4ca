package scim

import "strings"

// The URNs of schemas and messages.
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	// urnCards is the name that identity providers are already set up with elsewhere: rows A3-59 and A3-60.
	urnCards = "urn:ietf:params:scim:schemas:extension:papercut:2.0:User"

	urnSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	urnResourceType = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	urnConfig       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	urnList         = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnPatch        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnError        = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// kind is the type of an attribute's values.
type kind string

// The kinds of attributes that our schemas have (RFC 7643 section 2.3).
const (
	kindText      kind = "string"
	kindBoolean   kind = "boolean"
	kindReference kind = "reference"
	kindTime      kind = "dateTime"
	kindComplex   kind = "complex"
)

// attribute describes one attribute (RFC 7643 section 7).
type attribute struct {
	name     string
	kind     kind
	about    string
	multi    bool
	exact    bool // letter case counts
	required bool
	readOnly bool
	unique   bool
	secret   bool // taken and handed on, never kept, never returned, never searched
	skip     bool // known, and none of our business: ignored wherever it stands, not in /Schemas
	always   bool // returned whatever was asked for
	sub      []attribute
}

// find returns the attribute of that name, letter case aside (RFC 7643 section 2.1).
func find(list []attribute, name string) *attribute {
	for i := range list {
		if strings.EqualFold(list[i].name, name) {
			return &list[i]
		}
	}
	return nil
}

// schema is a set of attributes under one URN.
type schema struct {
	urn, name, about string
	attributes       []attribute
}

// resourceType is one type of resources: a core schema and its extensions.
type resourceType struct {
	name       string
	endpoint   string
	about      string
	core       schema
	extensions []schema
	all        []attribute // those of the core schema, with the common ones
}

func text(name, about string) attribute { return attribute{name: name, kind: kindText, about: about} }

func complexOf(name, about string, sub ...attribute) attribute {
	return attribute{name: name, kind: kindComplex, about: about, sub: sub}
}

// plural is a multi-valued complex attribute with the usual sub-attributes (RFC 7643 section 2.4).
func plural(name, about string) attribute {
	a := complexOf(name, about,
		text("value", "The value"), text("display", "How the value is shown"), text("type", "What it is for, such as work"),
		attribute{name: "primary", kind: kindBoolean, about: "Whether it is the one to take"})
	a.multi = true
	return a
}

func skipped(names ...string) []attribute {
	list := make([]attribute, len(names))
	for i, name := range names {
		list[i] = attribute{name: name, kind: kindComplex, multi: true, skip: true}
	}
	return list
}

// common are the attributes of every resource (RFC 7643 section 3.1).
func common() []attribute {
	return []attribute{
		{name: "schemas", kind: kindReference, multi: true, exact: true, readOnly: true, always: true, about: "The schemas of the resource"},
		{name: "id", kind: kindText, exact: true, readOnly: true, unique: true, always: true, about: "The resource's id, given by this server"},
		{name: "externalId", kind: kindText, exact: true, about: "The provider's own id; it may change"},
		{name: "meta", kind: kindComplex, readOnly: true, about: "What the server knows of the resource", sub: []attribute{
			{name: "resourceType", kind: kindText, exact: true, readOnly: true, about: "User or Group"},
			{name: "created", kind: kindTime, readOnly: true, about: "When it was made"},
			{name: "lastModified", kind: kindTime, readOnly: true, about: "When it last changed"},
			{name: "location", kind: kindReference, exact: true, readOnly: true, about: "Its address"},
			{name: "version", kind: kindText, exact: true, readOnly: true, about: "Its version, as in the header ETag"},
		}},
	}
}

// userType describes people.
func userType() *resourceType {
	addresses := complexOf("addresses", "Postal addresses; the office is the formatted one of type other",
		text("formatted", "The whole address"), text("streetAddress", "Street"), text("locality", "Town"), text("region", "Region"),
		text("postalCode", "Postal code"), text("country", "Country"), text("type", "What it is for, such as work"),
		attribute{name: "primary", kind: kindBoolean, about: "Whether it is the one to take"})
	addresses.multi = true
	t := &resourceType{
		name: "User", endpoint: "/Users", about: "A person who prints",
		core: schema{urnUser, "User", "A person who prints", append([]attribute{
			{name: "userName", kind: kindText, required: true, unique: true, about: "The name the person signs in with; unique"},
			complexOf("name", "The parts of the name", text("formatted", "The whole name"), text("familyName", "Family name"), text("givenName", "Given name"),
				text("middleName", "Middle names"), text("honorificPrefix", "Title before the name"), text("honorificSuffix", "Title behind the name")),
			text("displayName", "The name as it is shown"),
			text("nickName", "A short name that the person may sign in with as well"),
			{name: "profileUrl", kind: kindReference, exact: true, about: "A page about the person"},
			text("title", "Title, such as Vice President"),
			text("userType", "What the person is to the organisation"),
			text("preferredLanguage", "The language of mail to the person, such as de-CH"),
			text("locale", "The person's region"),
			text("timezone", "The person's time zone"),
			{name: "active", kind: kindBoolean, about: "Whether the person may sign in"},
			plural("emails", "E-mail addresses; the one of type work is the person's"),
			plural("phoneNumbers", "Telephone numbers"),
			addresses,
		}, skipped("password", "roles", "entitlements", "groups", "ims", "photos", "x509Certificates")...)},
		extensions: []schema{
			{urnEnterprise, "EnterpriseUser", "What employers keep of people", []attribute{
				text("employeeNumber", "The employee's number"), text("costCenter", "Cost centre"),
				text("organization", "Organisation"), //nolint:misspell // RFC 7643
				text("division", "Division"), text("department", "Department"),
				complexOf("manager", "Whom the person reports to", text("value", "The manager's id"),
					attribute{name: "$ref", kind: kindReference, exact: true, about: "The manager's address"}, text("displayName", "The manager's name")),
			}},
			{urnCards, "PaperCutUser", "What people identify with at devices; written, never returned", []attribute{
				{name: "accessCard", kind: kindText, multi: true, exact: true, secret: true, about: "Card numbers, as the reader gives them"},
				{name: "accessCode", kind: kindText, exact: true, secret: true, about: "The access code"},
			}},
		},
	}
	t.all = append(common(), t.core.attributes...)
	return t
}

// groupType describes groups.
func groupType() *resourceType {
	members := complexOf("members", "People and groups in the group",
		attribute{name: "value", kind: kindText, exact: true, about: "The member's id"},
		attribute{name: "$ref", kind: kindReference, exact: true, about: "The member's address"},
		text("type", "User or Group"), text("display", "The member's name"))
	members.multi = true
	t := &resourceType{
		name: "Group", endpoint: "/Groups", about: "A group of people and of other groups",
		core: schema{urnGroup, "Group", "A group of people and of other groups", []attribute{
			{name: "displayName", kind: kindText, required: true, about: "The group's name"},
			members,
		}},
	}
	t.all = append(common(), t.core.attributes...)
	return t
}

// extension returns the schema of that URN, letter case aside.
func (t *resourceType) extension(urn string) *schema {
	for i := range t.extensions {
		if strings.EqualFold(t.extensions[i].urn, urn) {
			return &t.extensions[i]
		}
	}
	return nil
}
