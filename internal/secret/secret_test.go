package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNothingPrintsASecret(t *testing.T) {
	const canary = "CANARY-5up3r"
	v := struct {
		Password String
		Pointer  *String
		hidden   String // package fmt cannot call the methods of this one
	}{Password: New(canary), hidden: New(canary)}
	v.Pointer = &v.Password

	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", v)
		fmt.Fprintf(&out, verb+"\n", v.Password)
		fmt.Fprintf(&out, verb+"\n", v.Pointer)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "password", v.Password, "all", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "password", v.Password, "all", v)

	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret was printed:\n%s", out.String())
	}
	if !v.hidden.Equal(v.Password) || v.hidden.Equal(String{}) || !(String{}).Equal(New("")) {
		t.Error("Equal() is wrong")
	}
	if got := v.hidden.Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
	if got := v.Password.Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var v struct {
		Password String `json:"password"`
	}
	if err := json.Unmarshal([]byte(`{"password":"opensesame"}`), &v); err != nil {
		t.Fatal(err)
	}
	if got := v.Password.Reveal(); got != "opensesame" {
		t.Errorf("Reveal() = %q, want opensesame", got)
	}
	if v.Password.Empty() || !(String{}).Empty() {
		t.Error("Empty() is wrong")
	}
}
