package aadsts

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Sentences returns what to tell people, by key, in English: one plain sentence or two, with what to do. The clients' locale
// files have them in the people's languages, the server's pages use them as they are.
func Sentences() map[string]string { return maps.Clone(sentences) }

// body is the error object of the token endpoint.
type body struct {
	Error         string  `json:"error"`
	Description   string  `json:"error_description"`
	Codes         []int64 `json:"error_codes"`
	Suberror      string  `json:"suberror"`
	Claims        string  `json:"claims"`
	TraceID       string  `json:"trace_id"`
	CorrelationID string  `json:"correlation_id"`
}

// ParseJSON reads the body of a token endpoint's answer. It is false when that is no OAuth error object.
func ParseJSON(text []byte) (Response, bool) {
	var b body
	if json.Unmarshal(text, &b) != nil || b.Error == "" {
		return Response{}, false
	}
	r := Response{Error: b.Error, Description: b.Description, Suberror: b.Suberror, Claims: b.Claims, TraceID: b.TraceID, CorrelationID: b.CorrelationID}
	for _, code := range b.Codes {
		if code > 0 && code < 1e9 {
			r.Codes = append(r.Codes, int(code))
		}
	}
	return r, true
}

// ParseValues reads an error that came with a redirect, as query or form. It is false when there is none.
func ParseValues(v url.Values) (Response, bool) {
	if v.Get("error") == "" {
		return Response{}, false
	}
	r := Response{Error: v.Get("error"), Description: v.Get("error_description"), Suberror: v.Get("error_subcode"), Claims: v.Get("claims")}
	if s := v.Get("suberror"); s != "" {
		r.Suberror = s
	}
	if r.Suberror == "cancel" {
		r.Error, r.Suberror = "access_denied", ""
	}
	return r, true
}

var (
	number      = regexp.MustCompile(`AADSTS([0-9]{4,8})`)
	trace       = regexp.MustCompile(`(?i)trace id: *([0-9a-f-]{36})`)
	correlation = regexp.MustCompile(`(?i)correlation id: *([0-9a-f-]{36})`)
	guid        = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	word        = regexp.MustCompile(`^[a-z_]{1,40}$`)
)

const (
	maxDescription = 8 << 10 // how much of a description is searched, in bytes
	maxClaims      = 4 << 10
	maxCodes       = 8
)

// clean fills in what the description says and drops what is not of its form: all of it came over the network, and some
// of it through a browser.
func (r Response) clean() Response {
	text := r.Description[:min(len(r.Description), maxDescription)]
	r.Codes = slices.Clone(r.Codes[:min(len(r.Codes), maxCodes)])
	if len(r.Codes) == 0 {
		if m := number.FindStringSubmatch(text); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				r.Codes = []int{n}
			}
		}
	}
	r.Codes = slices.DeleteFunc(r.Codes, func(n int) bool { return n <= 0 || n >= 1e9 })
	r.TraceID, r.CorrelationID = id(r.TraceID, trace, text), id(r.CorrelationID, correlation, text)
	r.Error, r.Suberror = oneWord(r.Error), oneWord(r.Suberror)
	if len(r.Claims) > maxClaims || !json.Valid([]byte(r.Claims)) || !strings.HasPrefix(strings.TrimSpace(r.Claims), "{") {
		r.Claims = ""
	}
	r.Description = ""
	return r
}

func id(given string, search *regexp.Regexp, text string) string {
	if guid.MatchString(given) {
		return strings.ToLower(given)
	}
	if m := search.FindStringSubmatch(text); m != nil && guid.MatchString(m[1]) {
		return strings.ToLower(m[1])
	}
	return ""
}

func oneWord(text string) string {
	if text = strings.ToLower(text); word.MatchString(text) {
		return text
	}
	return ""
}
