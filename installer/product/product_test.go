package product

import "testing"

func TestVersionsAreWrittenAsEachSystemComparesThem(t *testing.T) {
	for version, want := range map[string][3]string{
		"1.2.3":      {"1.2.3", "1.2.3.0", "1.2.3"},
		"0.1.0-dev":  {"0.1.0", "0.1.0.0", "0.1.0~dev"},
		"1.2.3-rc.1": {"1.2.3", "1.2.3.0", "1.2.3~rc.1"},
	} {
		r, err := Parse(version)
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if got := [3]string{r.Windows(), r.FileVersion(), r.Linux()}; got != want {
			t.Errorf("%s: got %v, want %v", version, got, want)
		}
	}
}

func TestBadVersionsAreRefused(t *testing.T) {
	for _, version := range []string{"", "1", "1.2", "v1.2.3", "1.2.3.4", "256.0.0", "1.0.65536", "01.2.3", "1.2.3-", "1.2.3-rc.1; rm", "1.2.3+x"} {
		if _, err := Parse(version); err == nil {
			t.Errorf("%q was taken", version)
		}
	}
}
