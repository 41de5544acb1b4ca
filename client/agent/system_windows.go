package agent

import "golang.org/x/sys/windows"

// hasDisplay tells whether a window could be shown.
func hasDisplay(func(string) string) bool { return true }

// systemLocale is the language that the person chose in Windows.
func systemLocale() string {
	languages, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(languages) == 0 {
		return ""
	}
	return languages[0]
}
