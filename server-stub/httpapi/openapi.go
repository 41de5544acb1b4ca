package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/platenprint/platen/internal/api"
)

// humaConfig is huma with its pages, schema links and leniency switched off: see the package comment.
func (h *Handler) humaConfig() huma.Config {
	format := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(v)
		},
		Unmarshal: unmarshal,
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Platen", Version: "1",
				Description: "What Platen's clients ask its server. Money is a decimal string with a dot, times are RFC 3339 in UTC, ids are opaque.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "The access token of a session."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format}, // the second for problem+json
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{h.transform},
	}
}

// problemResponse describes the errors of an operation.
func (h *Handler) problemResponse() *huma.Response {
	schema := h.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "")
	return &huma.Response{Description: "What went wrong and what to do (RFC 9457).", Content: map[string]*huma.MediaType{api.ContentTypeProblem: {Schema: schema}}}
}

// describeEvents puts the event stream, which is no huma operation, into the document.
func (h *Handler) describeEvents() {
	schemas := h.huma.OpenAPI().Components.Schemas
	schemas.Schema(reflect.TypeFor[api.Balance](), true, "")
	h.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "follow-events", Method: http.MethodGet, Path: api.PathEvents, Summary: "My balance, as it changes",
		Description: "Server-sent events. `balance` carries a Balance as data and its version as id; a client that sends Last-Event-ID gets none until there is a newer one. " +
			"`signed-out` says that the session ended on the server; the stream closes behind it. A comment line comes every 20 seconds: after 60 seconds of silence a client takes the stream for dead.",
		Parameters: []*huma.Param{{Name: api.HeaderLastEventID, In: "header", Description: "The version of the last balance the client has.", Schema: &huma.Schema{Type: "string"}}},
		Security:   []map[string][]string{{"bearer": {}}},
		Responses: map[string]*huma.Response{
			"200":     {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}},
			"default": h.problemResponse(),
		},
	})
}

// document renders the OpenAPI document once. huma registers its own error types, which never go over the wire.
func (h *Handler) document() []byte {
	doc := h.huma.OpenAPI()
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic("httpapi: the OpenAPI document cannot be written: " + err.Error())
	}
	return append(text, '\n')
}

func (h *Handler) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(h.openAPI) // the client may be gone
}
