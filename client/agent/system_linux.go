package agent

// hasDisplay tells whether a window could be shown.
func hasDisplay(getenv func(string) string) bool {
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

// systemLocale is the locale that the environment does not name.
func systemLocale() string { return "" }
