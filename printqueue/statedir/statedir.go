// Package statedir says where the privileged service keeps what it writes on this computer. The places are fixed: nothing
// in the environment of a privileged process decides where it writes.
package statedir

// The files in the state folder.
const (
	DeviceFile = "device.json"     // key, certificate, and what the server said last
	TokenFile  = "enrolment.token" // an enrolment token that an administrator or an installer left; removed when it is used
	LogFile    = "deploy.log"      // in the log folder
	CrashFile  = "crash.log"       // in the log folder
)

// Places are the folders of this computer.
type Places struct {
	State string // closed to all but root, or SYSTEM and administrators
	Log   string // as well
}
