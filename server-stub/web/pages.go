package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed static templates locale
var files embed.FS

// languages are those there are texts in; the first is for everybody else.
var languages = []string{"en", "de", "fr", "es"}

// pages are the templates and the texts.
type pages struct {
	templates map[string]*template.Template
	texts     map[string]map[string]string // by language and key
	version   string                       // of the static files: it stands in their addresses, so that browsers may keep them
}

func loadPages() (*pages, error) {
	p := &pages{templates: map[string]*template.Template{}, texts: map[string]map[string]string{}}
	base, err := template.New("").Funcs(template.FuncMap{"inPlace": inPlace}).ParseFS(files, "templates/base.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		page, err := base.Clone()
		if err == nil {
			page, err = page.ParseFS(files, name)
		}
		if err != nil {
			return nil, err
		}
		p.templates[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	for _, language := range languages {
		text, err := files.ReadFile("locale/" + language + ".json")
		if err != nil {
			return nil, err
		}
		var texts map[string]string
		if err := json.Unmarshal(text, &texts); err != nil {
			return nil, fmt.Errorf("locale/%s.json: %w", language, err)
		}
		p.texts[language] = texts
	}
	digest := sha256.New()
	err = fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		fmt.Fprintf(digest, "%s %d\n", name, len(content))
		digest.Write(content)
		return err
	})
	p.version = hex.EncodeToString(digest.Sum(nil)[:8])
	return p, err
}

// inPlace gives a template that is used within another both what the page is filled with and what it is about.
func inPlace(v view, p place) any {
	return struct {
		View  view
		Place place
	}{v, p}
}

// view is what a template works with.
type view struct {
	Language     string
	Organisation string
	Help         string
	Version      string
	Admin        bool
	Title        string // a key
	Refresh      string // where the browser goes by itself, "" for nowhere
	Data         any
	texts        map[string]string
}

// T is a text with its gaps filled: {0}, {1} ...
func (v view) T(key string, fill ...any) string {
	text, ok := v.texts[key]
	if !ok {
		return key
	}
	for i, f := range fill {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", fmt.Sprint(f))
	}
	return text
}

// Time is a time as people of the language write it, in the server's zone.
func (v view) Time(t time.Time) string { return t.Local().Format(v.T("format.time")) }

// Clock is a time of day.
func (v view) Clock(t time.Time) string { return t.Local().Format(v.T("format.clock")) }

// Machine is a time for programs.
func (v view) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// view makes what a page is filled with.
func (h *Handler) view(r *http.Request, title string, data any) view {
	language := chooseLanguage(r.Header.Get("Accept-Language"))
	return view{
		Language: language, Organisation: h.Organisation, Help: h.HelpText, Version: h.pages.version, Admin: h.kind == sessionAdmin, Title: title, Data: data,
		texts: h.pages.texts[language],
	}
}

// show answers with a page.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var b bytes.Buffer
	if err := h.pages.templates[name].ExecuteTemplate(&b, "base", v); err != nil {
		panic(fmt.Errorf("page %s: %w", name, err)) // a fault of ours: Front answers
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Language", v.Language)
	head.Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the browser may be gone
	}
}

// message answers with a page of one sentence.
func (h *Handler) message(w http.ResponseWriter, r *http.Request, status int, key string, fill ...any) {
	v := h.view(r, "title.problem", nil)
	v.Data = v.T(key, fill...)
	h.show(w, r, status, "message", v)
}

// chooseLanguage picks the language that Accept-Language likes best (RFC 9110 section 12.5.4).
func chooseLanguage(accept string) string {
	best, weight := languages[0], 0.0
	for part := range strings.SplitSeq(accept[:min(len(accept), 512)], ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if q > weight && slices.Contains(languages, primary) {
			best, weight = primary, q
		}
	}
	return best
}

var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// static serves the pages' own files. Their address has their version, so browsers keep them for good.
func (h *Handler) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, err := files.ReadFile("static/" + name)
	kind := contentTypes[path.Ext(name)]
	if err != nil || kind == "" || r.PathValue("version") != h.pages.version {
		h.message(w, r, http.StatusNotFound, "err.notfound")
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}
