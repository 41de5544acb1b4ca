package policy

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings"
)

// A setting that is new in the table needs a name, an explanation, a label where there is a field, and a name for each choice, in
// every language; texts that nothing needs any more go.
func TestE9_EverySettingHasItsTextsInEveryLanguage(t *testing.T) {
	var wantPolicies, wantChoices []string
	for _, s := range settings.Table() {
		wantPolicies = append(wantPolicies, s.Name)
		for _, c := range s.Choices {
			wantChoices = append(wantChoices, s.Name+"_"+c)
		}
	}
	wantPolicies = append(wantPolicies, settings.RegistryToken)
	slices.Sort(wantPolicies)
	slices.Sort(wantChoices)
	for language, texts := range languages() {
		if diff := cmp.Diff(wantPolicies, slices.Sorted(maps.Keys(texts.policies))); diff != "" {
			t.Errorf("%s (-table +texts):\n%s", language, diff)
		}
		if diff := cmp.Diff(wantChoices, slices.Sorted(maps.Keys(texts.choices))); diff != "" {
			t.Errorf("%s (-table +texts):\n%s", language, diff)
		}
		for _, p := range policies() {
			w := texts.policies[p.text]
			if w.name == "" || w.help == "" || (w.label == "") != (p.shape == shapeBool) {
				t.Errorf("%s: %s lacks a name, an explanation or the label of its field, or has one too many", language, p.text)
			}
		}
		for name, text := range texts.choices {
			if text == "" {
				t.Errorf("%s: %s has no name", language, name)
			}
		}
		for _, text := range []string{texts.displayName, texts.description, texts.supported, texts.enforced, texts.recommended, texts.recommendedName} {
			if text == "" {
				t.Errorf("%s lacks a general text", language)
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(languages())), slices.Sorted(slices.Values(Languages()))); diff != "" {
		t.Error(diff)
	}
}
