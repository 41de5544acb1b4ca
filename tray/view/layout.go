package view

// MenuIDs are the IDs of all lines that a menu can have, in the order and groups they are shown in. A tray that keeps a
// place for each of them only ever has to show, hide and rename. In every state each group has at least one line.
func MenuIDs() [][]string {
	return [][]string{
		{"sign-out-first", "stay", "balance", "state"},
		{"open", "retry", "top-up", "portal", "sign-in", "open-again", "cancel", "sign-out"},
		{"settings", "quit"},
	}
}
