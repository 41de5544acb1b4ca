package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Our own sizes of text, beside Fyne's.
const (
	sizeAmount  fyne.ThemeSizeName = "platen-amount"
	sizeHeading                    = theme.SizeNameHeadingText
	sizeSmall                      = theme.SizeNameCaptionText
	sizeText                       = theme.SizeNameText
)

// Theme is the look of the windows: quiet, one colour, light and dark as the system is. All texts have a contrast of at
// least 4.5:1 to what they stand on, borders of fields and signs 3:1 (WCAG 2.2 AA; theme_test.go measures it).
type Theme struct{ base fyne.Theme }

// NewTheme returns the theme.
func NewTheme() Theme { return Theme{base: theme.DefaultTheme()} }

var _ fyne.Theme = Theme{}

// palette is the colours of one variant.
type palette map[fyne.ThemeColorName]color.Color

var light = palette{
	theme.ColorNameBackground:          rgb(0xffffff),
	theme.ColorNameForeground:          rgb(0x1b1f27),
	theme.ColorNameDisabled:            rgb(0x5d6573),
	theme.ColorNamePlaceHolder:         rgb(0x5d6573),
	theme.ColorNamePrimary:             rgb(0x2c5cc9),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameHyperlink:           rgb(0x2c5cc9),
	theme.ColorNameError:               rgb(0xb3261e),
	theme.ColorNameForegroundOnError:   rgb(0xffffff),
	theme.ColorNameWarning:             rgb(0x8a5200),
	theme.ColorNameSuccess:             rgb(0x1a6e3a),
	theme.ColorNameButton:              rgb(0xeceff4),
	theme.ColorNameDisabledButton:      rgb(0xeceff4),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0x858d9b),
	theme.ColorNameSeparator:           rgb(0xdfe3ea),
	theme.ColorNameHover:               rgba(0x1b1f27, 0x12),
	theme.ColorNamePressed:             rgba(0x1b1f27, 0x24),
	theme.ColorNameFocus:               rgba(0x2c5cc9, 0x38),
	theme.ColorNameSelection:           rgba(0x2c5cc9, 0x40),
	theme.ColorNameScrollBar:           rgba(0x1b1f27, 0x70),
	theme.ColorNameScrollBarBackground: rgba(0x1b1f27, 0x00),
	theme.ColorNameShadow:              rgba(0x000000, 0x30),
	theme.ColorNameOverlayBackground:   rgb(0xffffff),
	theme.ColorNameMenuBackground:      rgb(0xffffff),
}

var dark = palette{
	theme.ColorNameBackground:          rgb(0x1d2026),
	theme.ColorNameForeground:          rgb(0xeef0f4),
	theme.ColorNameDisabled:            rgb(0xa4abb8),
	theme.ColorNamePlaceHolder:         rgb(0xa4abb8),
	theme.ColorNamePrimary:             rgb(0x82a8ff),
	theme.ColorNameForegroundOnPrimary: rgb(0x10151f),
	theme.ColorNameHyperlink:           rgb(0x82a8ff),
	theme.ColorNameError:               rgb(0xffa096),
	theme.ColorNameForegroundOnError:   rgb(0x10151f),
	theme.ColorNameWarning:             rgb(0xf0b45a),
	theme.ColorNameSuccess:             rgb(0x7fd69c),
	theme.ColorNameButton:              rgb(0x30353f),
	theme.ColorNameDisabledButton:      rgb(0x30353f),
	theme.ColorNameInputBackground:     rgb(0x262a32),
	theme.ColorNameInputBorder:         rgb(0x78808f),
	theme.ColorNameSeparator:           rgb(0x363c47),
	theme.ColorNameHover:               rgba(0xeef0f4, 0x14),
	theme.ColorNamePressed:             rgba(0xeef0f4, 0x28),
	theme.ColorNameFocus:               rgba(0x82a8ff, 0x40),
	theme.ColorNameSelection:           rgba(0x82a8ff, 0x50),
	theme.ColorNameScrollBar:           rgba(0xeef0f4, 0x70),
	theme.ColorNameScrollBarBackground: rgba(0xeef0f4, 0x00),
	theme.ColorNameShadow:              rgba(0x000000, 0x60),
	theme.ColorNameOverlayBackground:   rgb(0x262a32),
	theme.ColorNameMenuBackground:      rgb(0x262a32),
}

// Color implements fyne.Theme.
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	colours := light
	if variant == theme.VariantDark {
		colours = dark
	}
	if c, ok := colours[name]; ok {
		return c
	}
	return t.base.Color(name, variant)
}

// Size implements fyne.Theme.
func (t Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case sizeAmount:
		return 34
	case theme.SizeNameHeadingText:
		return 20
	case theme.SizeNameSubHeadingText:
		return 15
	case theme.SizeNameText:
		return 14
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameInnerPadding:
		return 7
	case theme.SizeNameInputBorder:
		return 1.5
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 6
	default:
		return t.base.Size(name)
	}
}

// Font implements fyne.Theme.
func (t Theme) Font(style fyne.TextStyle) fyne.Resource { return t.base.Font(style) }

// Icon implements fyne.Theme.
func (t Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return t.base.Icon(name) }

func rgb(hex uint32) color.NRGBA { return rgba(hex, 0xff) }

func rgba(hex uint32, alpha uint8) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: alpha}
}
