package scim

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// operation is one operation of a PATCH request (RFC 7644 section 3.5.2).
type operation struct {
	op    string // "add", "replace" or "remove"
	path  string // "" for none
	value any
	has   bool // there is a value, though it may be null
}

// readOperations reads the body of a PATCH request. Keys and operations count in any letter case.
func readOperations(body object) ([]operation, error) {
	list, ok := member(body, "Operations").([]any)
	switch {
	case !ok:
		return nil, wrong(invalidSyntax, "a PATCH request has a list of Operations")
	case len(list) > maxOperations:
		return nil, refuse(http.StatusRequestEntityTooLarge, tooMany, "a PATCH request has at most %d operations", maxOperations)
	}
	out := make([]operation, len(list))
	for i, e := range list {
		in, ok := e.(object)
		if !ok {
			return nil, wrong(invalidSyntax, "operation %d is no object", i+1)
		}
		name, _ := member(in, "op").(string)
		where, isText := member(in, "path").(string)
		if p := member(in, "path"); p != nil && !isText {
			return nil, wrong(invalidPath, "the path of operation %d is no text", i+1)
		}
		o := operation{op: strings.ToLower(name), path: strings.TrimSpace(where), value: member(in, "value")}
		for key := range in {
			o.has = o.has || strings.EqualFold(key, "value")
		}
		switch {
		case o.op != "add" && o.op != "replace" && o.op != "remove":
			return nil, wrong(invalidSyntax, "operation %d is no add, replace or remove", i+1)
		case o.op != "remove" && !o.has:
			return nil, wrong(invalidValue, "operation %d has no value", i+1)
		case o.op == "remove" && o.path == "":
			return nil, wrong(noTarget, "operation %d removes, and does not say what", i+1)
		}
		out[i] = o
	}
	return out, nil
}

// member returns the value of a key in any letter case.
func member(o object, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for key, v := range o {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

// apply does the operations one after the other. After an error the document is of no use.
func (d *document) apply(list []operation) error {
	for _, o := range list {
		if err := d.operate(o); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) operate(o operation) error {
	if o.path == "" {
		in, ok := o.value.(object)
		if !ok {
			return wrong(invalidValue, "an operation without a path has an object for its value")
		}
		return d.fill(in, o.op == "add")
	}
	p, err := d.kind.parsePath(o.path)
	var nobody *unknown
	switch {
	case errors.As(err, &nobody) && nobody.schema:
		d.notes.ignore(o.path)
		return nil
	case errors.As(err, &nobody):
		return wrong(invalidPath, "there is no attribute %q", shorten(o.path))
	case err != nil:
		return err
	case p.attr != nil && p.attr.readOnly:
		if p.attr.name == "schemas" {
			return nil // follows from the attributes
		}
		return wrong(mutability, "%s cannot be changed", p.name())
	}
	if o.op == "remove" {
		return d.remove(p, o.value)
	}
	return d.set(p, o.value, o.op == "add")
}

// set adds or replaces at a path.
func (d *document) set(p path, v any, add bool) error {
	switch {
	case p.skip():
		if list, isList := v.([]any); v != nil && (!isList || len(list) > 0) { // Entra sends roles: [] with everybody
			d.notes.ignore(p.name())
		}
		return nil
	case p.attr == nil:
		return d.setExtension(p, v, add)
	case p.ext == nil && p.attr.name == "members":
		return d.setMembers(p, v, add)
	case p.attr.secret:
		d.given[p.attr.name] = true
		add = false // what is there is not known here
	}
	if p.leaf().required && (v == nil || v == "") {
		return wrong(invalidValue, "%s is required", p.name())
	}
	if p.attr.multi && (p.only != nil || p.sub != nil) {
		return d.setAmong(p, v)
	}
	value, err := p.leaf().read(v, d.notes)
	if err != nil {
		return err
	}
	home := d.home(p.ref, value != nil)
	name := p.leaf().name
	switch {
	case home == nil:
	case value == nil:
		delete(home, name)
	case p.leaf().multi && add:
		list := joined(values(home[name]), values(value))
		if len(list) > maxValues {
			return refuse(http.StatusRequestEntityTooLarge, tooMany, "%s would have %d values; %d are the most", p.name(), len(list), maxValues)
		}
		home[name] = list
	case p.leaf().kind == kindComplex && !p.leaf().multi:
		merged, _ := home[name].(object)
		if merged == nil {
			merged = object{}
		}
		for key, inner := range value.(object) {
			merged[key] = inner
		}
		home[name] = merged
	default:
		home[name] = value
	}
	d.tidy(p.ref)
	return nil
}

// setExtension takes an extension as an object.
func (d *document) setExtension(p path, v any, add bool) error {
	in, ok := v.(object)
	if !ok {
		if v == nil {
			return d.remove(p, nil)
		}
		return wrong(invalidValue, "%s must be an object", p.ext.urn)
	}
	for key, inner := range in {
		r, err := d.kind.lookup(p.ext.urn + ":" + key)
		if err != nil || r.attr == nil {
			d.notes.ignore(p.ext.urn + ":" + key)
			continue
		}
		if err := d.set(path{ref: r}, inner, add); err != nil {
			return err
		}
	}
	return nil
}

// home is the object in which the attribute stands; nil where it does not exist and make does not ask for it.
func (d *document) home(r ref, make bool) object {
	at := d.o
	down := func(name string) {
		if at == nil {
			return
		}
		inner, ok := at[name].(object)
		if !ok && make {
			inner = object{}
			at[name] = inner
		}
		at = inner
	}
	if r.ext != nil {
		down(r.ext.urn)
	}
	if r.sub != nil {
		down(r.attr.name)
	}
	return at
}

// tidy removes objects that nothing is left in.
func (d *document) tidy(r ref) {
	at := d.o
	if r.ext != nil {
		inner, ok := at[r.ext.urn].(object)
		if !ok {
			return
		}
		defer func() {
			if len(inner) == 0 {
				delete(d.o, r.ext.urn)
			}
		}()
		at = inner
	}
	if r.attr == nil {
		return
	}
	if o, ok := at[r.attr.name].(object); ok && len(o) == 0 {
		delete(at, r.attr.name)
	}
}

// joined adds to the values what is not there. Of several that claim to be the primary one the newest is.
func joined(have, more []any) []any {
	for _, v := range more {
		if slices.ContainsFunc(have, func(h any) bool { return reflect.DeepEqual(h, v) }) {
			continue
		}
		if o, ok := v.(object); ok && o["primary"] == true {
			for _, other := range elements(have) {
				if other["primary"] == true {
					other["primary"] = false
				}
			}
		}
		have = append(have, v)
	}
	return have
}

// setAmong changes those of the values that a condition chooses, or all. Where none is chosen one is made that fulfils the
// condition: Entra writes emails[type eq "work"].value for somebody who has no address yet.
func (d *document) setAmong(p path, v any) error {
	var value any
	var err error
	if p.sub != nil {
		value, err = p.sub.read(v, d.notes)
	} else {
		value, err = p.attr.readOne(single(v), d.notes)
	}
	if err != nil {
		return err
	}
	if value == nil {
		return d.remove(p, nil)
	}
	whole := ref{ext: p.ext, attr: p.attr}
	home := d.home(whole, true)
	chosen := false
	for _, e := range elements(home[p.attr.name]) {
		if p.only != nil && !p.only.match(e) {
			continue
		}
		chosen = true
		p.put(e, value)
	}
	if chosen {
		return nil
	}
	if len(values(home[p.attr.name])) >= maxValues {
		return refuse(http.StatusRequestEntityTooLarge, tooMany, "%s would have more than %d values", p.attr.name, maxValues)
	}
	fresh := object{}
	if !fulfil(p.only, fresh) {
		return wrong(noTarget, "no value of %s is chosen by the path", p.attr.name)
	}
	p.put(fresh, value)
	home[p.attr.name] = append(values(home[p.attr.name]), fresh)
	return nil
}

// put writes the value into an element.
func (p path) put(e object, value any) {
	if p.sub != nil {
		e[p.sub.name] = value
		return
	}
	if inner, ok := value.(object); ok {
		for key, v := range inner {
			e[key] = v
		}
	}
}

// single is the one element of a list of one.
func single(v any) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return v
}

// fulfil writes into o what makes the condition hold, where that is clear.
func fulfil(f filter, o object) bool {
	switch f := f.(type) {
	case nil:
		return true
	case both:
		return fulfil(f.left, o) && fulfil(f.right, o)
	case compare:
		if f.op != "eq" || f.want == nil || f.attr == nil {
			return false
		}
		o[f.attr.name] = f.want
		return true
	}
	return false
}

// remove removes at a path. What is not there is removed already.
func (d *document) remove(p path, v any) error {
	switch {
	case p.skip():
		d.notes.ignore(p.name())
		return nil
	case p.ext == nil && p.attr != nil && p.attr.name == "members":
		return d.removeMembers(p, v)
	case p.attr == nil:
		for _, a := range p.ext.attributes {
			if a.secret {
				d.given[a.name] = true
			}
		}
		delete(d.o, p.ext.urn)
		return nil
	case p.leaf().required:
		return wrong(mutability, "%s is required and cannot be removed", p.name())
	case p.attr.secret:
		d.given[p.attr.name] = true
	}
	home := d.home(ref{ext: p.ext, attr: p.attr}, false)
	if home == nil {
		return nil
	}
	switch {
	case p.attr.multi && (p.only != nil || p.sub != nil):
		d.removeAmong(home, p)
	case p.sub != nil:
		if inner, ok := home[p.attr.name].(object); ok {
			delete(inner, p.sub.name)
		}
	default:
		delete(home, p.attr.name)
	}
	d.tidy(p.ref)
	return nil
}

// removeAmong removes chosen values, or a part of them. What has lost its value is nothing any more.
func (d *document) removeAmong(home object, p path) {
	var kept []any
	for _, v := range values(home[p.attr.name]) {
		e, _ := v.(object)
		if p.only == nil || p.only.match(e) {
			if p.sub == nil || p.sub.name == "value" {
				continue
			}
			delete(e, p.sub.name)
		}
		kept = append(kept, v)
	}
	if len(kept) == 0 {
		delete(home, p.attr.name)
		return
	}
	home[p.attr.name] = kept
}
