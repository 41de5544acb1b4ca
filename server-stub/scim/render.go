package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/store"
)

// view says which attributes are wanted (RFC 7644 section 3.9).
type view struct {
	only []ref // nil: the default ones
	not  []ref
}

// parseView reads attributes and excludedAttributes. What there is no attribute for is not there anyway.
func (t *resourceType) parseView(attributes, excluded string) view {
	list := func(text string) (refs []ref) {
		for name := range strings.SplitSeq(text, ",") {
			if r, err := t.lookup(strings.TrimSpace(name)); err == nil {
				refs = append(refs, r)
			}
		}
		return refs
	}
	var v view
	if strings.TrimSpace(attributes) != "" {
		if v.only = list(attributes); v.only == nil {
			v.only = []ref{}
		}
		return v
	}
	v.not = list(excluded)
	return v
}

// wants tells whether the attribute of the core schema is wanted at all.
func (v view) wants(name string) bool {
	if v.only != nil {
		for _, r := range v.only {
			if r.ext == nil && r.attr != nil && r.attr.name == name {
				return true
			}
		}
		return false
	}
	for _, r := range v.not {
		if r.ext == nil && r.attr != nil && r.attr.name == name && r.sub == nil {
			return false
		}
	}
	return true
}

// apply leaves what is wanted of a resource.
func (v view) apply(t *resourceType, o object) object {
	if v.only == nil {
		for _, r := range v.not {
			if r.attr == nil || !r.attr.always {
				cut(o, r)
			}
		}
		return o
	}
	out := object{}
	for _, a := range t.all {
		if value, ok := o[a.name]; ok && a.always {
			out[a.name] = value
		}
	}
	for _, r := range v.only {
		keep(out, o, r)
	}
	return out
}

// cut removes what a reference names.
func cut(o object, r ref) {
	if r.ext != nil {
		inner, ok := o[r.ext.urn].(object)
		if r.attr == nil || !ok {
			delete(o, r.ext.urn)
			return
		}
		o = inner
	}
	if r.sub == nil {
		delete(o, r.attr.name)
		return
	}
	for _, e := range elements(o[r.attr.name]) {
		delete(e, r.sub.name)
	}
}

// keep copies what a reference names.
func keep(to, from object, r ref) {
	if r.ext != nil {
		inner, ok := from[r.ext.urn].(object)
		if !ok {
			return
		}
		if r.attr == nil {
			to[r.ext.urn] = inner
			return
		}
		below, ok := to[r.ext.urn].(object)
		if !ok {
			below = object{}
			to[r.ext.urn] = below
		}
		to, from = below, inner
	}
	value, ok := from[r.attr.name]
	if !ok {
		return
	}
	if r.sub == nil {
		to[r.attr.name] = value
		return
	}
	if one, ok := value.(object); ok {
		have, _ := to[r.attr.name].(object)
		if have == nil {
			have = object{}
			to[r.attr.name] = have
		}
		if inner, ok := one[r.sub.name]; ok {
			have[r.sub.name] = inner
		}
		return
	}
	have, _ := to[r.attr.name].([]any)
	list := make([]any, 0, len(elements(value)))
	for i, e := range elements(value) {
		part := object{}
		if i < len(have) {
			part, _ = have[i].(object)
		}
		if inner, ok := e[r.sub.name]; ok {
			part[r.sub.name] = inner
		}
		list = append(list, part)
	}
	to[r.attr.name] = list
}

// render is a stored resource as the provider reads it.
func (h *Handler) render(t *resourceType, r store.SCIMResource, members []store.SCIMMember) (object, error) {
	var o object
	if err := json.Unmarshal([]byte(r.Data), &o); err != nil {
		return nil, fmt.Errorf("read SCIM resource %s: %w", r.ID, err)
	}
	if o == nil {
		return nil, fmt.Errorf("read SCIM resource %s: %w", r.ID, errEmpty)
	}
	o["id"] = r.ID
	schemas := []any{t.core.urn}
	for _, e := range t.extensions {
		if _, ok := o[e.urn]; ok {
			schemas = append(schemas, e.urn)
		}
	}
	o["schemas"] = schemas
	settle(o, r)
	o["meta"] = object{
		"resourceType": t.name, "created": r.CreatedAt.Format(time.RFC3339Nano), "lastModified": r.ModifiedAt.Format(time.RFC3339Nano),
		"location": h.location(t, r.ID), "version": etag(r),
	}
	if len(members) > 0 {
		list := make([]any, len(members))
		for i, m := range members {
			endpoint := h.users
			if m.Kind == store.SCIMGroup {
				endpoint = h.groups
			}
			list[i] = object{"value": m.ID, "$ref": h.location(endpoint, m.ID), "type": string(m.Kind), "display": m.Name}
		}
		o["members"] = list
	}
	return o, nil
}

// settle lets active say how the person stands: after an undo the provider must see that somebody is back, to take them out again if
// that is what it wants.
func settle(o object, r store.SCIMResource) {
	switch {
	case r.Standing == store.SCIMOut:
		o["active"] = false
	case r.Standing == store.SCIMIn && o["active"] == false:
		o["active"] = true
	}
}

var errEmpty = errors.New("it is empty")

func (h *Handler) location(t *resourceType, id string) string {
	return h.d.BaseURL + t.endpoint + "/" + id
}

// etag is the version as HTTP and meta.version have it.
func etag(r store.SCIMResource) string { return fmt.Sprintf(`W/"%d"`, r.Version) }
