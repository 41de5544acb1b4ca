// Package cli is the command line of platen.
//
//	platen                 the resident; with one running already it asks that one to show its window
//	platen run             the resident, and nothing else
//	platen whoami          who this computer says you are, and under which names the server may know you
//	platen config          every setting with its origin
//	platen doctor          what keeps printing from working
//	platen sign-in         sign in, through the resident: --method microsoft, browser, trust, prompt; not given, the best that works
//	platen sign-out        sign out, through the resident, as are
//	platen status          what the resident knows, from its memory
//	platen balance         ...
//	platen open [PAGE]     show the window
//	platen confirm-server  say that the server that the network names is yours (--no: that it is not)
//	platen stop            end the resident of this session
//	platen purge           sign out, remove what is kept of you on this computer, end the resident
//	platen version
//
// Every command takes --json. whoami, config, doctor, confirm-server, stop, purge and version need no resident; the others wait five seconds for its
// socket, so that a script may start it and go on. Text is English, like all of the command line; errors go to standard
// error.
//
// Exit codes, which scripts may rely on:
//
//	0  done
//	1  it failed
//	2  wrong arguments
//	3  platen is not running
//	4  nobody is signed in, or the sign-in was refused
//	5  the server cannot be reached
//	6  platen is already running (platen run)
package cli
