package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// administration is how somebody at a terminal changes the tenant. It asks for no token: the emulator guards nothing.
func (e *Emulator) administration() {
	e.mux.HandleFunc("POST /emulator/users", e.change(func(_ *http.Request, raw []byte) error {
		people, err := ParsePeople([]byte("[" + string(raw) + "]"))
		if err != nil {
			return err
		}
		e.Add(people[0])
		return nil
	}))
	e.mux.HandleFunc("PATCH /emulator/users/{id}", e.change(func(r *http.Request, raw []byte) error {
		var values Person
		if err := json.Unmarshal(raw, &values); err != nil {
			return err
		}
		id, err := e.somebody(r)
		if err == nil {
			e.Change(id, values)
		}
		return err
	}))
	e.mux.HandleFunc("DELETE /emulator/users/{id}", e.change(func(r *http.Request, _ []byte) error {
		id, err := e.somebody(r)
		if err == nil {
			e.Remove(id, r.URL.Query().Has("for-good"))
		}
		return err
	}))
	e.mux.HandleFunc("POST /emulator/users/{id}/restore", e.change(func(r *http.Request, _ []byte) error {
		id, err := e.somebody(r)
		if err == nil {
			e.Restore(id)
		}
		return err
	}))
	e.mux.HandleFunc("POST /emulator/groups", e.change(func(_ *http.Request, raw []byte) error {
		groups, err := ParseGroups([]byte("["+string(raw)+"]"), nil)
		if err != nil {
			return err
		}
		groups[0].Members = e.ids(groups[0].Members)
		e.AddGroup(groups[0])
		return nil
	}))
	e.mux.HandleFunc("PATCH /emulator/groups/{id}", e.change(func(r *http.Request, raw []byte) error {
		var asked struct {
			Name string   `json:"displayName"`
			Join []string `json:"join"`
			Left []string `json:"leave"`
		}
		if err := json.Unmarshal(raw, &asked); err != nil {
			return err
		}
		id := e.ids([]string{r.PathValue("id")})[0]
		if asked.Name != "" {
			e.RenameGroup(id, asked.Name)
		}
		e.Join(id, e.ids(asked.Join), e.ids(asked.Left))
		return nil
	}))
	e.mux.HandleFunc("DELETE /emulator/groups/{id}", e.change(func(r *http.Request, _ []byte) error {
		e.RemoveGroup(e.ids([]string{r.PathValue("id")})[0])
		return nil
	}))
	e.mux.HandleFunc("PUT /emulator/permissions", e.change(func(_ *http.Request, raw []byte) error {
		permissions := []string{}
		if err := json.Unmarshal(raw, &permissions); err != nil {
			return err
		}
		e.Grant(permissions...)
		return nil
	}))
	e.mux.HandleFunc("PUT /emulator/fault", e.change(func(_ *http.Request, raw []byte) error {
		asked := struct {
			Fault

			RetryAfter int // in seconds
		}{}
		if err := json.Unmarshal(raw, &asked); err != nil {
			return err
		}
		asked.Fault.RetryAfter = time.Duration(asked.RetryAfter) * time.Second
		e.SetFault(&asked.Fault)
		return nil
	}))
	e.mux.HandleFunc("DELETE /emulator/fault", e.change(func(*http.Request, []byte) error {
		e.SetFault(nil)
		return nil
	}))
}

// change answers 204, or 400 with what is wrong.
func (e *Emulator) change(do func(r *http.Request, raw []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		if r.Method != http.MethodDelete && r.ContentLength != 0 {
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&raw); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		if err := do(r, raw); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// somebody is whom the address names, by id or userPrincipalName.
func (e *Emulator) somebody(r *http.Request) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.find(r.PathValue("id"))
	if e.people[id] == nil {
		return "", missing(r.PathValue("id"))
	}
	return id, nil
}

// ids makes object ids of names: of people by their userPrincipalName, of groups by their displayName.
func (e *Emulator) ids(names []string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = e.find(name)
		for id, g := range e.groups {
			if strings.EqualFold(g.Name, name) {
				ids[i] = id
			}
		}
	}
	return ids
}
