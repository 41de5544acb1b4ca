package ipc

import (
	"os"
	"strconv"
	"strings"
)

// limitKey names the user for the limits. The subordinate ids of subuid(5), which one person may take on by the thousand in a
// container of their own, share the seats of one.
func limitKey(p Peer) string {
	text, err := os.ReadFile("/etc/subuid")
	if err == nil && subordinate(string(text), p.UID) {
		return "subordinate"
	}
	return p.key()
}

// subordinate tells whether a user id is in one of the ranges of a subuid(5) file: "name:first:count" in each line.
func subordinate(file, uid string) bool {
	id, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return false
	}
	for line := range strings.Lines(file) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 {
			continue
		}
		first, err := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err == nil && err2 == nil && id >= first && id < first+count {
			return true
		}
	}
	return false
}
