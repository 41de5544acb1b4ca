// Package osservice is what Platen's services of the operating system have in common, whatever they do: whose program may become one,
// how its path is written into what starts it, and how systemd, launchd and Windows' service control manager are asked. Texts, accounts and
// folders are each service's own.
package osservice

// State is how a service stands.
type State string

// How a service stands.
const (
	NotInstalled State = "not-installed"
	Stopped      State = "stopped"
	Running      State = "running"
)
