// Package agent puts the resident program together: settings, who is logged on, the session, the tray icon, the
// notifications, the window, and the door for the other programs (client/ipc). It decides little itself:
//
//	config ─▶ osuser ─▶ usermap ─▶ tokenstore, apiclient ─▶ session ─▶ ipc
//	                                                           │
//	                                                   view ◀──┴──▶ platen-window
//	                                                  ▼    ▼
//	                                               icon    notify
//
// What is missing is lived with: no server set, no keyring, no session bus, no tray, no display. Nobody imports this
// package but the program's main and end-to-end tests.
package agent
