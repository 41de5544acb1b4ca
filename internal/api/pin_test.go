package api

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePin(t *testing.T) {
	const good = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	pin, err := ParsePin(" " + good + "\n")
	if err != nil || pin.String() != good {
		t.Errorf("ParsePin(%q) = %s, %v", good, pin, err)
	}
	for _, bad := range []string{
		"", "sha256/", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", strings.TrimSuffix(good, "="), good + "=",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", good + "\n" + good,
	} {
		if _, err := ParsePin(bad); !errors.Is(err, ErrInvalidPin) {
			t.Errorf("ParsePin(%q): %v, want ErrInvalidPin", bad, err)
		}
	}
}
