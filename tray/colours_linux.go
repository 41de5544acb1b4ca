package main

import (
	"context"
	"os"
	"time"

	"github.com/platenprint/platen/internal/sessionbus"
)

// preferLight makes the window light where the desktop does not say whether it is light or dark (there is no portal to
// ask): Fyne would take dark, such desktops mostly are light.
func preferLight(ctx context.Context) {
	const fyneTheme = "FYNE_THEME"
	if os.Getenv(fyneTheme) != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if conn, err := sessionbus.Connect(ctx); err == nil {
		defer conn.Close()
		if says, err := sessionbus.Serves(ctx, conn, "org.freedesktop.portal.Desktop"); err == nil && says {
			return
		}
	}
	_ = os.Setenv(fyneTheme, "light")
}
