package detection

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/product"
)

func TestRuleOfAReleaseNeverChanges(t *testing.T) {
	r, err := product.Parse("1.2.3-rc.1")
	if err != nil {
		t.Fatal(err)
	}
	want := Rule{
		ProductCode: "{0C8D0070-73C0-5139-99E1-9BBF994A17F4}", UpgradeCode: "{9D0A4C3E-6B0F-4C53-8E0B-6C1B3F8C5A20}", MSIVersion: "1.2.3",
		Key: `HKLM\Software\Platen`, Value: "Version", Version: "1.2.3-rc.1",
		File: `%ProgramFiles%\Platen\platen.exe`, FileVersion: "1.2.3.0", Service: "PlatenDeploy",
	}
	if diff := cmp.Diff(want, Of(r)); diff != "" {
		t.Error(diff)
	}
	final, err := product.Parse("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if Of(final).ProductCode == want.ProductCode {
		t.Error("two versions have one product code")
	}
}
