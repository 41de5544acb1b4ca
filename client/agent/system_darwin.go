package agent

// hasDisplay tells whether a window could be shown.
func hasDisplay(func(string) string) bool { return true }

// systemLocale is the locale that the environment does not name. Finding it needs Cocoa.
func systemLocale() string { return "" }
