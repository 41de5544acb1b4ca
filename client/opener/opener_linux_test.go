package opener

import "testing"

func TestWithoutADisplayThereIsNoBrowser(t *testing.T) {
	if Usable(func(string) string { return "" }) {
		t.Error("usable without a display")
	}
}
