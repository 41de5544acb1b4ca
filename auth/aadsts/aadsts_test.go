package aadsts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
)

const (
	traceID       = "0b1c2d3e-1111-2222-3333-444455556666"
	correlationID = "99999999-8888-7777-6666-555544443333"
)

// answer is the error object as the documentation shows it.
func answer(t *testing.T, oauth, suberror, claims string, code int) Response {
	t.Helper()
	object := map[string]any{
		"error":             oauth,
		"error_description": fmt.Sprintf("AADSTS%d: Something about alex.test@example.org.\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: 2026-11-22 02:02:12Z", code, traceID, correlationID),
		"error_codes":       []int{code}, "timestamp": "2026-11-22 02:02:12Z", "trace_id": traceID, "correlation_id": correlationID,
	}
	if suberror != "" {
		object["suberror"] = suberror
	}
	if claims != "" {
		object["claims"] = claims
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := ParseJSON(text)
	if !ok {
		t.Fatalf("not read: %s", text)
	}
	return r
}

// TestEveryNumberOfTheTable shows each number in the company in which Entra ID sends it.
func TestEveryNumberOfTheTable(t *testing.T) {
	tests := []struct {
		code            int
		oauth, suberror string
		kind            Kind
		method          string
	}{
		{16000, "interaction_required", "", SessionExpired, "microsoft"},
		{50001, "invalid_resource", "", Misconfigured, "prompt"},
		{50011, "invalid_request", "", Misconfigured, "prompt"},
		{50012, "invalid_client", "", Misconfigured, "prompt"},
		{50020, "invalid_grant", "", OtherTenant, "microsoft"},
		{50034, "invalid_grant", "", UnknownUser, ""},
		{50053, "invalid_grant", "", Locked, ""},
		{50055, "invalid_grant", "user_password_expired", PasswordExpired, "microsoft"},
		{50056, "invalid_grant", "", WrongCredentials, "microsoft"},
		{50057, "invalid_grant", "", Disabled, ""},
		{50058, "login_required", "", SessionExpired, "microsoft"},
		{50072, "interaction_required", "", MFARequired, "microsoft"},
		{50074, "interaction_required", "basic_action", MFARequired, "microsoft"},
		{50076, "interaction_required", "basic_action", MFARequired, "microsoft"},
		{50079, "interaction_required", "basic_action", MFARequired, "microsoft"},
		{50097, "interaction_required", "", DeviceBlocked, ""},
		{50105, "invalid_grant", "", NotAssigned, ""},
		{50126, "invalid_grant", "", WrongCredentials, ""},
		{50128, "invalid_request", "", Misconfigured, "prompt"},
		{50132, "invalid_grant", "", SessionExpired, "microsoft"},
		{50133, "invalid_grant", "bad_token", SessionExpired, "microsoft"},
		{50140, "interaction_required", "", SessionExpired, "microsoft"},
		{50144, "invalid_grant", "", PasswordExpired, "microsoft"},
		{50158, "interaction_required", "basic_action", MFARequired, "microsoft"},
		{50173, "invalid_grant", "bad_token", SessionExpired, "microsoft"},
		{53000, "interaction_required", "", DeviceBlocked, ""},
		{53001, "interaction_required", "", DeviceBlocked, ""},
		{53002, "interaction_required", "", DeviceBlocked, ""},
		{53003, "access_denied", "message_only", PolicyBlocked, ""},
		{53004, "interaction_required", "additional_action", MFARequired, "microsoft"},
		{54005, "invalid_grant", "", SessionExpired, "microsoft"},
		{65001, "invalid_grant", "consent_required", ConsentRequired, "prompt"},
		{65004, "access_denied", "", ConsentRequired, "microsoft"},
		{70008, "invalid_grant", "token_expired", SessionExpired, "microsoft"},
		{70011, "invalid_scope", "", Misconfigured, "prompt"},
		{70043, "invalid_grant", "bad_token", SessionExpired, "microsoft"},
		{90002, "invalid_request", "", Misconfigured, "prompt"},
		{90033, "temporarily_unavailable", "", Unavailable, "prompt"},
		{90072, "invalid_grant", "", OtherTenant, "microsoft"},
		{90094, "consent_required", "", ConsentRequired, "prompt"},
		{500011, "invalid_resource", "", Misconfigured, "prompt"},
		{500121, "interaction_required", "basic_action", MFARequired, "microsoft"},
		{530003, "access_denied", "", DeviceBlocked, ""},
		{650052, "invalid_request", "", Misconfigured, "prompt"},
		{650057, "invalid_resource", "", Misconfigured, "prompt"},
		{700016, "unauthorized_client", "", Misconfigured, "prompt"}, //nolint:misspell // the name in RFC 6749
		{700082, "invalid_grant", "token_expired", SessionExpired, "microsoft"},
		{7000215, "invalid_client", "", Misconfigured, "prompt"},
		{7000218, "invalid_client", "", Misconfigured, "prompt"},
		{7000222, "invalid_client", "", Misconfigured, "prompt"},
	}
	shown := map[int]bool{}
	for _, tt := range tests {
		shown[tt.code] = true
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			v := Classify(answer(t, tt.oauth, tt.suberror, "", tt.code))
			if v.Kind != tt.kind || v.Method != tt.method || v.Code != tt.code {
				t.Errorf("%s, %q, %d; want %s, %q", v.Kind, v.Method, v.Code, tt.kind, tt.method)
			}
			if v.Admin != table[tt.code].admin || sentences[v.Sentence] == "" {
				t.Errorf("words: %q, %q", v.Sentence, v.Admin)
			}
			if v.TraceID != traceID || v.CorrelationID != correlationID {
				t.Errorf("ids: %q, %q", v.TraceID, v.CorrelationID)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", v.Error(), v), "alex") {
				t.Error("the verdict names somebody")
			}
		})
	}
	for _, code := range Known() {
		if !shown[code] {
			t.Errorf("%d is in the table, but not in this test", code)
		}
	}
	for _, code := range []int{ // what the design asks for
		50011, 50020, 50034, 50053, 50055, 50056, 50057, 50058, 50074, 50076, 50079, 50097, 50105, 50126, 50128, 50158, 50173, 53000, 53001, 53003, 53004,
		65001, 65004, 70043, 90002, 90094, 500011, 700016, 700082, 7000218,
	} {
		if !shown[code] {
			t.Errorf("%d is not known", code)
		}
	}
}

// TestTheProtocolDecidesBeforeTheNumber has numbers that contradict what the protocol says.
func TestTheProtocolDecidesBeforeTheNumber(t *testing.T) {
	const claims = `{"access_token":{"capolids":{"essential":true,"values":["a"]}}}`
	tests := []struct {
		name     string
		response Response
		kind     Kind
	}{
		{"interaction is no wrong password", answer(t, "interaction_required", "", "", 50126), MFARequired},
		{"a claims challenge neither", answer(t, "invalid_grant", "", claims, 50034), MFARequired},
		{"basic action neither", answer(t, "invalid_grant", "basic_action", "", 50126), MFARequired},
		{"consent stays consent", answer(t, "invalid_grant", "consent_required", "", 50126), ConsentRequired},
		{"an expired password stays one", answer(t, "invalid_grant", "user_password_expired", "", 50126), PasswordExpired},
		{"a server's fault is nobody's password", answer(t, "server_error", "", "", 50126), Unavailable},
		{"a bad client is nobody's password", answer(t, "invalid_client", "", "", 50126), Misconfigured},
		{"no is no", answer(t, "access_denied", "", "", 50126), Cancelled},
		{"a number alone", Response{Description: "AADSTS50076: x"}, MFARequired},
		{"an unknown number with interaction", answer(t, "interaction_required", "", "", 59999), MFARequired},
		{"an unknown number", answer(t, "invalid_grant", "", "", 59999), Unknown},
		{"an unknown number and error", answer(t, "whatever_else", "", "", 59999), Unknown},
		{"nothing", Response{}, Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v := Classify(tt.response); v.Kind != tt.kind {
				t.Errorf("%s, want %s", v.Kind, tt.kind)
			}
		})
	}
	if v := Classify(answer(t, "interaction_required", "basic_action", claims, 50076)); v.Claims != claims || !v.Proven() || v.OAuth != "interaction_required" {
		t.Errorf("%+v", v)
	}
}

func TestWhatIsNotKnownKeepsNumberAndTrace(t *testing.T) {
	v := Classify(answer(t, "invalid_grant", "", "", 59999))
	if v.Code != 59999 || v.TraceID != traceID || v.Sentence != "microsoft.unknown" {
		t.Errorf("%+v", v)
	}
	for _, want := range []string{"AADSTS59999", traceID, "invalid_grant"} {
		if !strings.Contains(v.Error(), want) {
			t.Errorf("%q lacks %q", v.Error(), want)
		}
	}
	var as Verdict
	if !errors.As(fmt.Errorf("sign in: %w", v), &as) || as.Code != 59999 {
		t.Error("a verdict is lost when it is wrapped")
	}
}

func TestTheFirstNumberThatFitsDecides(t *testing.T) {
	v := Classify(Response{Error: "interaction_required", Codes: []int{59999, 50126, 53003, 50076}})
	if v.Code != 53003 || v.Kind != PolicyBlocked {
		t.Errorf("%+v", v)
	}
}

func TestErrorsOfARedirect(t *testing.T) {
	v, ok := ParseValues(url.Values{
		"error": {"access_denied"}, "state": {"x"}, "error_uri": {"https://login.microsoftonline.com/error?code=65004"},
		"error_description": {"AADSTS65004: User declined to consent to access the app.\r\nTrace ID: " + traceID + "\r\nCorrelation ID: " + correlationID},
	})
	if !ok {
		t.Fatal("not read")
	}
	want := Verdict{
		Kind: ConsentRequired, Code: 65004, Sentence: "microsoft.consent_declined", Admin: table[65004].admin, Method: api.MethodMicrosoft,
		OAuth: "access_denied", TraceID: traceID, CorrelationID: correlationID,
	}
	if diff := cmp.Diff(want, Classify(v)); diff != "" {
		t.Error(diff)
	}
	cancel, _ := ParseValues(url.Values{"error": {"access_denied"}, "error_subcode": {"cancel"}})
	if got := Classify(cancel); got.Kind != Cancelled {
		t.Errorf("cancelled: %+v", got)
	}
	if _, ok := ParseValues(url.Values{"code": {"x"}}); ok {
		t.Error("a success is no error")
	}
}

func TestWhatIsNoErrorObject(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{}", `{"error":5}`, `{"error":{"code":"x"}}`, "<html>", `{"access_token":"x"}`} {
		if _, ok := ParseJSON([]byte(text)); ok {
			t.Errorf("%q was taken for an error", text)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for kind, e := range generals {
		if e.kind != kind || sentences[e.sentence] == "" || e.admin == "" {
			t.Errorf("%s: %+v", kind, e)
		}
	}
	used := map[string]bool{}
	for _, e := range table {
		used[e.sentence] = true
		if generals[e.kind].kind == "" || e.admin == "" {
			t.Errorf("%+v", e)
		}
	}
	for _, e := range generals {
		used[e.sentence] = true
	}
	for key, text := range Sentences() {
		if !used[key] || !strings.HasSuffix(text, ".") || strings.Contains(text, "AADSTS") {
			t.Errorf("%s: %q", key, text)
		}
	}
	if generals[WrongCredentials].sentence != generals[UnknownUser].sentence || table[50034].sentence != table[50126].sentence {
		t.Error("an account that does not exist reads another sentence than a wrong password")
	}
}

func FuzzDescription(f *testing.F) {
	f.Add("invalid_grant", "basic_action", "AADSTS50076: Due to a configuration change\r\nTrace ID: "+traceID, "{}", 50076)
	f.Add("x\n", "Cancel", "AADSTS99999999999: \x00", `{"a":`, -1)
	f.Fuzz(func(t *testing.T, oauth, suberror, description, claims string, code int) {
		r := Response{Error: oauth, Suberror: suberror, Description: description, Claims: claims, Codes: []int{code}, TraceID: description, CorrelationID: oauth}
		for _, r := range []Response{r, {Error: oauth, Suberror: suberror, Description: description}} {
			v := Classify(r)
			if v.Sentence == "" || v.Admin == "" || generals[v.Kind].kind == "" {
				t.Fatalf("no words for %+v", v)
			}
			if text := v.Error(); strings.ContainsAny(text, "\r\n\x00") || len(text) > 1000 || v.Code < 0 {
				t.Fatalf("%q may not go into a log", text)
			}
		}
	})
}
