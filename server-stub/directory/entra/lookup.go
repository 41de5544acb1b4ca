package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http" //nolint:depguard // for the numbers of statuses only
	"slices"
	"strconv"

	"github.com/platenprint/platen/server-stub/directory"
)

// maxBatch is how many requests Graph takes in one.
const maxBatch = 20

const stepLookup = "look people up"

// Lookup implements directory.Looker.
func (s *Source) Lookup(ctx context.Context, keys []directory.Key, sink directory.Sink) error {
	se, err := s.open(maxTries)
	if err != nil {
		return err
	}
	ids := make([]guid16, 0, len(keys))
	for _, k := range keys {
		id, ok := s.objectID(k)
		if !ok { // of another tenant, or of another kind: nobody here
			if err := sink.Gone(k); err != nil {
				return s.errorf("hand over who is gone: %w", err)
			}
			continue
		}
		ids = append(ids, id)
	}
	return se.people(ctx, ids, sink)
}

// people reads people one by one, and hands them over or says that they are gone.
func (se *session) people(ctx context.Context, ids []guid16, sink directory.Sink) error {
	s := se.s
	return se.objects(ctx, stepLookup, permissionUsers, "/users/", s.selected, ids, func(id guid16, raw json.RawMessage) error {
		if raw == nil {
			return s.gone(id, sink)
		}
		wanted, err := s.offer(raw, id, true, stepLookup, sink)
		if err == nil && !wanted {
			err = s.gone(id, sink)
		}
		return err
	})
}

// objects asks for objects by their ids, in batches, and hands each over in their order: nil for one that is not there.
func (se *session) objects(ctx context.Context, step, permission, path, selected string, ids []guid16, give func(guid16, json.RawMessage) error) error {
	for some := range slices.Chunk(ids, maxBatch) {
		found := make(map[guid16]json.RawMessage, len(some))
		if err := se.batch(ctx, question{step: step, permission: permission}, path, selected, some, found); err != nil {
			return se.s.unavailable(err)
		}
		for _, id := range some {
			if err := give(id, found[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// batch asks for at most twenty objects. Those that were throttled are asked for again, within the limits.
func (se *session) batch(ctx context.Context, q question, path, selected string, ids []guid16, found map[guid16]json.RawMessage) error {
	left := slices.Clone(ids)
	q.address = se.s.graph.String() + "/v1.0/$batch"
	return se.patiently(ctx, func() error {
		var err error
		if q.body, err = batchOf(path, selected, left); err != nil {
			return &failure{step: q.step, err: err}
		}
		return se.once(ctx, q, func(body io.Reader) error {
			answers, err := decodeBatch(body)
			if err != nil {
				return err
			}
			var worst *failure
			left = slices.DeleteFunc(left, func(id guid16) bool {
				a, ok := answers[id.String()]
				var f *failure
				switch {
				case !ok:
					f = &failure{step: q.step, err: errors.New("a batch was not answered whole"), again: true}
				case a.Status == http.StatusOK && isObject(a.Body, id):
					found[id] = plain(a.Body)
				case a.Status == http.StatusOK:
					f = &failure{step: q.step, err: errors.New("a batch was answered with somebody else"), again: true}
				case a.Status == http.StatusNotFound:
				default:
					f = se.s.refused(q, a.Status, a.header(), a.Body)
				}
				if f != nil && (worst == nil || !f.again || worst.again && f.retryAfter > worst.retryAfter) {
					worst = f
				}
				return f == nil
			})
			if worst != nil {
				return worst
			}
			return nil
		})
	})
}

// isObject tells whether an answer is the object that was asked for.
func isObject(raw json.RawMessage, id guid16) bool {
	var o struct {
		ID string `json:"id"`
	}
	got, ok := guid16{}, false
	if json.Unmarshal(raw, &o) == nil {
		got, ok = parseGUID(o.ID)
	}
	return ok && got == id
}

func batchOf(path, selected string, ids []guid16) ([]byte, error) {
	type request struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		URL    string `json:"url"`
	}
	list := make([]request, len(ids))
	for i, id := range ids {
		list[i] = request{id.String(), http.MethodGet, path + id.String() + "?$select=" + selected}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]any{"requests": list})
	return b.Bytes(), err
}

// reply is the answer to one request of a batch.
type reply struct {
	ID      string                     `json:"id"`
	Status  int                        `json:"status"`
	Headers map[string]json.RawMessage `json:"headers"`
	Body    json.RawMessage            `json:"body"`
}

// header are the headers of a reply, whatever Graph makes of their values.
func (a reply) header() http.Header {
	h := http.Header{}
	for name, raw := range a.Headers {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		if unquoted, err := strconv.Unquote(text); err == nil {
			text = unquoted
		}
		h.Set(name, text)
	}
	return h
}

// decodeBatch reads the answers of a batch, to its end.
func decodeBatch(r io.Reader) (map[string]reply, error) {
	var all struct {
		Responses []reply `json:"responses"`
	}
	d := json.NewDecoder(r)
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end")
	}
	answers := make(map[string]reply, len(all.Responses))
	for _, a := range all.Responses {
		if _, twice := answers[a.ID]; twice {
			return nil, fmt.Errorf("the request %q is answered twice", a.ID)
		}
		answers[a.ID] = a
	}
	return answers, nil
}
