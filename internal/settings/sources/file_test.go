package sources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFile(t *testing.T) {
	text := "\xef\xbb\xbf# a comment\r\n ServerURL = \"https://print.example.org\" \r\n\n#x=1\nno key here\n=value\nUPNSuffix=a=b\nupnsuffix=c\n" +
		"Long=" + strings.Repeat("x", maxLine)
	raws, warnings, err := ParseFile([]byte(text), KindUserFile, "f")
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) Origin { return Origin{Kind: KindUserFile, Where: "f", Line: line} }
	wantRaws := []Raw{{"ServerURL", "https://print.example.org", at(2)}, {"upnsuffix", "c", at(8)}}
	if diff := cmp.Diff(wantRaws, raws); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	wantWarnings := []Warning{
		{at(5), "this line is not Key=value and was left out."},
		{at(6), "this line is not Key=value and was left out."},
		{at(8), "upnsuffix stands in line 7 too; this line counts."},
		{at(9), "this line is longer than 4096 bytes and was left out."},
	}
	if diff := cmp.Diff(wantWarnings, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestParseFileRefusesWhatIsNoSettingsFile(t *testing.T) {
	for name, text := range map[string]string{
		"UTF-16":    "\xff\xfeS\x00e\x00r\x00",
		"too large": strings.Repeat("#\n", maxFile),
	} {
		if raws, _, err := ParseFile([]byte(text), KindPolicy, "f"); err == nil || raws != nil {
			t.Errorf("%s: got %v, %v; want an error and nothing", name, raws, err)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add("ServerURL=https://print.example.org\n#\n")
	f.Add("a=\"b\"\r\nA==\n\xef\xbb\xbf=\n")
	f.Add("UPNSuffix=\u202eexample.org")
	f.Fuzz(func(t *testing.T, text string) {
		raws, _, err := ParseFile([]byte(text), KindUserFile, "f")
		lines := strings.Count(text, "\n") + 1
		seen := map[string]bool{}
		for _, raw := range raws {
			key := strings.ToLower(raw.Name)
			if seen[key] || raw.Origin.Line < 1 || raw.Origin.Line > lines || err != nil {
				t.Errorf("key %q twice, line %d out of %d, or beside error %v", raw.Name, raw.Origin.Line, lines, err)
			}
			seen[key] = true
			line := strings.Split(text, "\n")[raw.Origin.Line-1]
			if !strings.Contains(line, raw.Name) || !strings.Contains(line, raw.Text) {
				t.Errorf("line %d is %q, but got %q=%q", raw.Origin.Line, line, raw.Name, raw.Text)
			}
		}
	})
}
