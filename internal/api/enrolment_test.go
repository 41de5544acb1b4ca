package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

var enrolmentSecret = api.EnrolmentSecretPrefix + strings.Repeat("a2", 13)

func TestEnrolmentTokensComeBack(t *testing.T) {
	pin := api.Pin{1, 2, 3, 0xff}
	for _, want := range []api.EnrolmentToken{
		{Address: "print.example.org:8445", Pin: &pin, Secret: secret.New(enrolmentSecret)},
		{Address: "[2001:db8::1]:8445", Secret: secret.New(enrolmentSecret)},
	} {
		text := want.Text().Reveal()
		got, err := api.ParseEnrolmentToken("  " + text + "\n")
		if err != nil || got.Address != want.Address || !got.Secret.Equal(want.Secret) || !got.Text().Equal(want.Text()) || (got.Pin == nil) != (want.Pin == nil) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if shown := fmt.Sprintf("%v %+v %s", want, want, want); strings.Contains(shown, enrolmentSecret) {
			t.Errorf("printing shows the secret: %s", shown)
		}
	}
}

func TestWhatIsNoEnrolmentToken(t *testing.T) {
	pin := api.Pin{}.String()
	for _, text := range []string{
		"", "~~", "host:1~" + pin, "host:1~" + pin + "~", "host~" + pin + "~" + enrolmentSecret, ":1~" + pin + "~" + enrolmentSecret,
		"host:0~" + pin + "~" + enrolmentSecret, "host:70000~" + pin + "~" + enrolmentSecret, "https://host:1~" + pin + "~" + enrolmentSecret,
		"host:1~sha256/x~" + enrolmentSecret, "host:1~ " + pin + "~" + enrolmentSecret, "host:1~" + pin + "~" + strings.ToUpper(enrolmentSecret),
		"host:1~" + pin + "~" + enrolmentSecret + "~", "host:1~" + pin + "~" + enrolmentSecret + "x", "user@host:1~~" + enrolmentSecret,
	} {
		if _, err := api.ParseEnrolmentToken(text); !errors.Is(err, api.ErrInvalidEnrolmentToken) {
			t.Errorf("%q: %v, want ErrInvalidEnrolmentToken", text, err)
		}
	}
}

func FuzzParseEnrolmentToken(f *testing.F) {
	f.Add("host:1~" + api.Pin{}.String() + "~" + enrolmentSecret)
	f.Add("[::1]:8445~~" + enrolmentSecret)
	f.Fuzz(func(t *testing.T, text string) {
		token, err := api.ParseEnrolmentToken(text)
		if err != nil {
			return
		}
		if got := token.Text().Reveal(); got != strings.TrimSpace(text) {
			t.Errorf("%q is read as %q", text, got)
		}
	})
}
