// Package agent puts the resident program together: settings, who is logged on, the ways of signing in, the session, the tray
// icon, the notifications, the window, and the door for the other programs (client/ipc). It decides little itself:
//
//	config ─▶ osuser ─▶ usermap ─▶ tokenstore, apiclient ─▶ session ─▶ ipc
//	     platen-deploy (deploy.go), auth/browser (browse.go), ▲
//	     auth/microsoft (entra.go) ───────────────────────────┘
//	                                                           │
//	                                                   view ◀──┴──▶ platen-window
//	                                                  ▼    ▼
//	                                               icon    notify
//
// Which server that is says site.go: the one of the settings, or one that the person has confirmed (client/servers). life.go and
// purge.go are how it ends: to go on as another program, or to leave nothing.
//
// Microsoft's library is made at the first sign-in that needs it, and platen-deploy is asked a word at a time; neither costs
// anything where it is not used. What is missing is lived with: no server set, no keyring, no session bus, no tray, no display. Nobody imports this
// package but the program's main and end-to-end tests.
package agent
