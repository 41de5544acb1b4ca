package graph

import (
	"net/http"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/emulator/entra"
)

// Application is an app registration, as far as its secrets go.
type Application struct {
	ID      string // the application (client) id
	Name    string
	Secrets []Secret
}

// Secret is a client secret of an application, of which Graph shows the first three characters.
type Secret struct {
	Name string
	Hint string
	Ends time.Time
}

// secretLife is that of secrets of which nothing else is said.
const secretLife = 180 * 24 * time.Hour

// applicationsOf are the apps of a tenant that have a secret.
func applicationsOf(config entra.Config, now clock.Clock) []Application {
	if now == nil {
		now = clock.System
	}
	var apps []Application
	for _, app := range config.Apps {
		if app.Secret != "" {
			apps = append(apps, Application{ID: strings.ToLower(app.ID), Name: app.Name, Secrets: []Secret{
				{Name: "made by the emulator", Hint: app.Secret[:min(3, len(app.Secret))], Ends: now().Add(secretLife)},
			}})
		}
	}
	return apps
}

// applications answers /applications?$filter=appId eq '...', and no other filter.
func (e *Emulator) applications(r *http.Request, _ string) (page, error) {
	if err := known(r, "$filter", "$select"); err != nil {
		return page{}, err
	}
	id, ok := strings.CutPrefix(r.URL.Query().Get("$filter"), "appId eq '")
	id, quoted := strings.CutSuffix(id, "'")
	if !ok || !quoted {
		return page{}, bad("Request_UnsupportedQuery", "The emulator knows the filter appId eq 'ID' only.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := page{Value: []map[string]any{}}
	for _, app := range e.opts.Applications {
		if !strings.EqualFold(app.ID, id) {
			continue
		}
		secrets := []map[string]any{}
		for _, s := range app.Secrets {
			secrets = append(secrets, map[string]any{
				"keyId": GUID("secret " + s.Name), "displayName": s.Name, "hint": s.Hint, "secretText": nil, "endDateTime": s.Ends.UTC().Format(time.RFC3339Nano),
			})
		}
		p.Value = append(p.Value, map[string]any{"id": GUID("application " + app.ID), "appId": app.ID, "displayName": app.Name, "passwordCredentials": secrets})
	}
	return p, nil
}

// SetApplications replaces them.
func (e *Emulator) SetApplications(apps []Application) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.opts.Applications = apps
}
