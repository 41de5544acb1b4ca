package google

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// Add adds somebody.
func (e *Emulator) Add(u User) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u = e.dir.user(clone(u))
	e.dir.Users = append(e.dir.Users, u)
	e.addUnit(u)
	e.notify("add", u)
}

func (e *Emulator) addUnit(u User) {
	if path := u.text("orgUnitPath"); !e.hasUnit(path) {
		e.dir.OrgUnits = append(slices.Clip(e.dir.OrgUnits), path)
	}
}

// Change sets fields of a user, who is named by id or address; nil removes one. It tells whether there is such a user.
func (e *Emulator) Change(key string, fields User) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.find(key)
	if at < 0 {
		return false
	}
	u := clone(e.dir.Users[at])
	was := u["isAdmin"]
	for field, value := range clone(fields) {
		if value == nil {
			delete(u, field)
		} else {
			u[field] = value
		}
	}
	e.dir.Users[at] = u
	e.addUnit(u)
	e.notify("update", u)
	if was != true && u["isAdmin"] == true {
		e.notify("makeAdmin", u)
	}
	return true
}

// Remove deletes a user, and tells whether there was such a one.
func (e *Emulator) Remove(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.find(key)
	if at < 0 {
		return false
	}
	u := e.dir.Users[at]
	e.dir.Users = slices.Delete(slices.Clone(e.dir.Users), at, at+1)
	e.deleted = append(e.deleted, u)
	e.notify("delete", u)
	return true
}

// Undelete brings a deleted user back, and tells whether there was such a one.
func (e *Emulator) Undelete(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.IndexFunc(e.deleted, func(u User) bool { return u.is(key) })
	if at < 0 {
		return false
	}
	u := e.deleted[at]
	e.deleted = slices.Delete(e.deleted, at, at+1)
	e.dir.Users = append(slices.Clip(e.dir.Users), u)
	e.notify("undelete", u)
	return true
}

// SetGroup adds a group, or replaces the one with this address.
func (e *Emulator) SetGroup(g Group) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g = Directory{Groups: []Group{g}}.complete().Groups[0]
	if at := e.group(g.Email); at >= 0 {
		e.dir.Groups = slices.Clone(e.dir.Groups)
		e.dir.Groups[at] = g
		return
	}
	e.dir.Groups = append(slices.Clip(e.dir.Groups), g)
}

// RemoveGroup deletes a group, and tells whether there was such a one.
func (e *Emulator) RemoveGroup(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.group(key)
	if at >= 0 {
		e.dir.Groups = slices.Delete(slices.Clone(e.dir.Groups), at, at+1)
	}
	return at >= 0
}

// SetSchemas replaces the custom schemas. Values of those that are gone are gone, too, as with Google.
func (e *Emulator) SetSchemas(schemas ...Schema) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dir.Schemas = schemas
	users := make([]User, len(e.dir.Users))
	for i, u := range e.dir.Users {
		u = clone(u)
		if values, ok := u["customSchemas"].(object); ok {
			for name, fields := range values {
				at := slices.IndexFunc(schemas, func(s Schema) bool { return s.Name == name })
				if at < 0 {
					delete(values, name)
					continue
				}
				if fields, ok := fields.(object); ok {
					for field := range fields {
						if !slices.ContainsFunc(schemas[at].Fields, func(f Field) bool { return f.Name == field }) {
							delete(fields, field)
						}
					}
				}
			}
			if len(values) == 0 {
				delete(u, "customSchemas")
			}
		}
		users[i] = u
	}
	e.dir.Users = users
}

// RemoveOrgUnit deletes a unit and those below it. Who was in one is in / then.
func (e *Emulator) RemoveOrgUnit(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dir.OrgUnits = slices.DeleteFunc(slices.Clone(e.dir.OrgUnits), func(u string) bool { return below(u, path) })
	for i, u := range e.dir.Users {
		if below(u.text("orgUnitPath"), path) {
			u = clone(u)
			u["orgUnitPath"] = "/"
			e.dir.Users[i] = u
		}
	}
}

// admin adds the endpoints below /emulator/, which change things and ask nobody who they are.
func (e *Emulator) admin() {
	read := func(into any, w http.ResponseWriter, r *http.Request) bool {
		err := json.NewDecoder(r.Body).Decode(into)
		if err != nil {
			http.Error(w, "no JSON: "+err.Error(), http.StatusBadRequest)
		}
		return err == nil
	}
	done := func(w http.ResponseWriter, r *http.Request, found bool) {
		if !found {
			http.Error(w, fmt.Sprintf("there is no %q", r.PathValue("key")), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	e.mux.HandleFunc("POST /emulator/users", func(w http.ResponseWriter, r *http.Request) {
		var u User
		if read(&u, w, r) {
			e.Add(u)
			done(w, r, true)
		}
	})
	e.mux.HandleFunc("PATCH /emulator/users/{key}", func(w http.ResponseWriter, r *http.Request) {
		var fields User
		if read(&fields, w, r) {
			done(w, r, e.Change(r.PathValue("key"), fields))
		}
	})
	e.mux.HandleFunc("DELETE /emulator/users/{key}", func(w http.ResponseWriter, r *http.Request) { done(w, r, e.Remove(r.PathValue("key"))) })
	e.mux.HandleFunc("POST /emulator/users/{key}/undelete", func(w http.ResponseWriter, r *http.Request) { done(w, r, e.Undelete(r.PathValue("key"))) })
	e.mux.HandleFunc("POST /emulator/groups", func(w http.ResponseWriter, r *http.Request) {
		var g Group
		if read(&g, w, r) {
			e.SetGroup(g)
			done(w, r, true)
		}
	})
	e.mux.HandleFunc("DELETE /emulator/groups/{key}", func(w http.ResponseWriter, r *http.Request) { done(w, r, e.RemoveGroup(r.PathValue("key"))) })
	e.mux.HandleFunc("PUT /emulator/schemas", func(w http.ResponseWriter, r *http.Request) {
		var schemas []Schema
		if read(&schemas, w, r) {
			e.SetSchemas(schemas...)
			done(w, r, true)
		}
	})
	e.mux.HandleFunc("PUT /emulator/scopes", func(w http.ResponseWriter, r *http.Request) {
		var scopes []string
		if read(&scopes, w, r) {
			e.Delegate(scopes...)
			done(w, r, true)
		}
	})
	e.mux.HandleFunc("PUT /emulator/fault", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		if read(&f, w, r) {
			e.SetFault(&f)
			done(w, r, true)
		}
	})
	e.mux.HandleFunc("DELETE /emulator/fault", func(w http.ResponseWriter, r *http.Request) {
		e.SetFault(nil)
		done(w, r, true)
	})
	e.mux.HandleFunc("POST /emulator/expire", func(w http.ResponseWriter, r *http.Request) {
		e.ExpireTokens()
		done(w, r, true)
	})
}
