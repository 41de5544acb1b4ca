package entra

import (
	"fmt"
	"net/url"
	"strings"
)

// Application permissions of Microsoft Graph (the ids are the same in every tenant): the least that reading a directory needs.
// Source: learn.microsoft.com, "Microsoft Graph permissions reference".
var (
	usersPermission        = Permission{"User.Read.All", "df021288-bdef-4463-88db-98f22de89214", "people, and whether they are disabled"}
	groupsPermission       = Permission{"GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6", "groups, and who is in them"}
	applicationsPermission = Permission{"Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "when the client secret ends, to warn before"}
)

// Permission is an application permission of Microsoft Graph.
type Permission struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	For  string `json:"for"`
}

// DirectoryOptions say what a plan of a directory is for. All may be left zero.
type DirectoryOptions struct {
	Tenant    string // its id; a placeholder when empty
	Authority string // https://login.microsoftonline.com when empty
	Name      string // "Platen directory" when empty
	NoGroups  bool   // groups are not wanted, so that one permission less is needed
	Expiry    bool   // the application may also read when its secret ends
}

// DirectoryPlan is everything to do so that a server may read the people of a tenant over Graph.
type DirectoryPlan struct {
	Tenant      string         `json:"tenant"`
	Permissions []Permission   `json:"permissions"`
	Application map[string]any `json:"application"` // POST /v1.0/applications
	Steps       []Step         `json:"steps"`
	Consent     string         `json:"consent_url"` // an administrator opens it once, signed in to the tenant
	Add         string         `json:"add"`         // the command that adds the directory
}

// ApplicationPlaceholder stands for the id that Entra ID gives the directory's application.
const ApplicationPlaceholder = "APPLICATION_ID"

// NewDirectoryPlan makes the plan. The error says what of the options cannot be.
func NewDirectoryPlan(o DirectoryOptions) (DirectoryPlan, error) {
	if o.Tenant == "" {
		o.Tenant = TenantPlaceholder
	}
	if o.Name == "" {
		o.Name = "Platen directory"
	}
	if o.Authority == "" {
		o.Authority = "https://login.microsoftonline.com"
	}
	authority, err := url.Parse(o.Authority)
	if err != nil || clouds[authority.Host].graph == "" {
		return DirectoryPlan{}, fmt.Errorf("%q is no cloud of Microsoft's", o.Authority)
	}
	if strings.ContainsAny(o.Name+o.Tenant, "'\"`$\\\n") {
		return DirectoryPlan{}, fmt.Errorf("names and ids cannot have quotes, dollars or backslashes in them")
	}
	p := DirectoryPlan{Tenant: o.Tenant, Permissions: []Permission{usersPermission}}
	if !o.NoGroups {
		p.Permissions = append(p.Permissions, groupsPermission)
	}
	if o.Expiry {
		p.Permissions = append(p.Permissions, applicationsPermission)
	}
	roles := make([]any, len(p.Permissions))
	for i, permission := range p.Permissions {
		roles[i] = map[string]any{"id": permission.ID, "type": "Role"}
	}
	p.Application = map[string]any{
		"displayName": o.Name, "signInAudience": "AzureADMyOrg",
		"requiredResourceAccess": []any{map[string]any{"resourceAppId": graphApp, "resourceAccess": roles}},
	}
	p.Consent = fmt.Sprintf("https://%s/%s/adminconsent?client_id=%s", authority.Host, o.Tenant, ApplicationPlaceholder)
	p.Add = addCommand(o, authority.Host)
	cloud := clouds[authority.Host]
	p.Steps = []Step{
		{"Sign in to the tenant as Cloud Application Administrator", []string{
			"az cloud set --name " + cloud.name,
			"az login --tenant " + o.Tenant + " --allow-no-subscriptions",
		}},
		{"Register the application", []string{
			"APP=$(az rest --method POST --url " + cloud.graph + "/v1.0/applications --body " + quote(p.Application) + " --query appId --output tsv)",
			"az ad sp create --id $APP",
		}},
		{"Make its secret; it goes into a file and nowhere else", []string{
			"(umask 077 && az ad app credential reset --id $APP --append --display-name platen --years 1 --query password --output tsv > directory-secret)",
		}},
		{"Show the id", []string{`echo "client_id: $APP"`}},
	}
	return p, nil
}

// addCommand is what adds the directory to a server.
func addCommand(o DirectoryOptions, host string) string {
	text := "platen-server sync add entra --id cloud --tenant " + o.Tenant + " --client-id " + ApplicationPlaceholder + " --client-secret-file directory-secret"
	switch clouds[host].name {
	case "AzureUSGovernment":
		text += " --cloud usgov"
	case "AzureChinaCloud":
		text += " --cloud china"
	}
	if o.NoGroups {
		text += " --set read_groups=no"
	}
	return text
}
