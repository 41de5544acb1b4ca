package agent

import (
	"path"
	"strings"
)

// sessionOfCgroup finds the session of logind(8) in a line of /proc/PID/cgroup: ".../session-c2.scope" is "c2". "" if there is
// none: programs that a desktop starts as services of the user belong to no session by their cgroup.
func sessionOfCgroup(text string) string {
	for line := range strings.Lines(text) {
		for dir := strings.TrimSpace(line); len(dir) > 1 && dir != "."; dir = path.Dir(dir) {
			name, ok := strings.CutPrefix(path.Base(dir), "session-")
			if !ok {
				continue
			}
			if id, ok := strings.CutSuffix(name, ".scope"); ok && validSession(id) {
				return id
			}
		}
	}
	return ""
}

// validSession tells whether logind would name a session so (session_id_valid of systemd: letters and digits).
func validSession(id string) bool {
	return id != "" && len(id) <= 32 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
