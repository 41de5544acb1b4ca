package agent

import (
	"os"
	"strconv"
	"strings"
)

// noSession is what the kernel has for processes that were started by no login.
const noSession = "4294967295"

// sessionOf finds the session of a process: by its cgroup, else the audit session, which PAM sets at login and logind uses for
// its own names. It is for information only: the process may have ended, and another one may have its number.
func sessionOf(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	if text, err := os.ReadFile(proc + "/cgroup"); err == nil {
		if id := sessionOfCgroup(string(text)); id != "" {
			return id
		}
	}
	text, err := os.ReadFile(proc + "/sessionid")
	if id := strings.TrimSpace(string(text)); err == nil && id != noSession && validSession(id) {
		return id
	}
	return ""
}
