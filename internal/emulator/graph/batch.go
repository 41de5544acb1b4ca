package graph

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// asked is one request of a batch.
type asked struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	URL    string `json:"url"` // without host and version: /users/...
}

// answered is the answer to one.
type answered struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// batch answers /$batch: at most 20 requests, each with an answer of its own, also when it is throttled. The answers come in the
// opposite order, as theirs is undefined.
func (e *Emulator) batch(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.calls["batch"]++
	e.mu.Unlock()
	fault, _, strikes := e.strike("batch")
	var all struct {
		Requests []asked `json:"requests"`
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	switch {
	case strikes && fault.Status != 0:
		err = fault.refusal("https://" + r.Host + r.URL.Path)
	case err != nil:
		err = bad("BadRequest", "Invalid batch payload format.")
	case len(all.Requests) > maxBatch:
		err = bad("MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of %d.", maxBatch)
	}
	if err != nil {
		e.refuse(w, r, err)
		return
	}
	answers := make([]answered, len(all.Requests))
	for i, a := range all.Requests {
		answers[len(answers)-1-i] = e.one(r, a)
	}
	if strikes && fault.Empty {
		answers = answers[:0]
	}
	text, err := json.Marshal(map[string]any{"responses": answers})
	if err != nil {
		e.refuse(w, r, err)
		return
	}
	if strikes && fault.Truncate {
		text = text[:len(text)*2/3]
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// one answers one request of a batch.
func (e *Emulator) one(outer *http.Request, a asked) answered {
	answer := &recorded{header: http.Header{}, status: http.StatusOK}
	inner, err := http.NewRequestWithContext(outer.Context(), a.Method, "https://"+outer.Host+"/v1.0"+a.URL, http.NoBody)
	if err != nil || a.Method != http.MethodGet {
		return answered{ID: a.ID, Status: http.StatusBadRequest, Body: json.RawMessage(`{"error":{"code":"BadRequest","message":"The emulator reads only."}}`)}
	}
	inner.Header, inner.RequestURI = outer.Header, a.URL
	e.mux.ServeHTTP(answer, inner)
	headers := map[string]string{}
	for name := range answer.header {
		headers[name] = answer.header.Get(name)
	}
	body := bytes.TrimSpace(answer.body.Bytes())
	if !json.Valid(body) {
		body = []byte("null")
	}
	return answered{ID: a.ID, Status: answer.status, Headers: headers, Body: body}
}

// recorded is an answer that is kept.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorded) Write(p []byte) (int, error) { return r.body.Write(p) }
