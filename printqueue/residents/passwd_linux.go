package residents

import (
	"strconv"
	"strings"
)

const (
	firstPerson = 1000  // smaller numbers are services' (login.defs UID_MIN)
	nobody      = 65534 // whom the kernel shows where it knows nobody
)

// parsePasswd reads the people of passwd(5): those with numbers of people, and root.
func parsePasswd(text string) []home {
	var list []home
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) != 7 {
			continue
		}
		uid, err := strconv.ParseUint(fields[2], 10, 32)
		gid, gidErr := strconv.ParseUint(fields[3], 10, 32)
		if err != nil || gidErr != nil || !isPerson(uint32(uid)) || !strings.HasPrefix(fields[5], "/") || fields[5] == "/" {
			continue
		}
		list = append(list, home{path: strings.TrimRight(fields[5], "/"), uid: uint32(uid), gid: uint32(gid)})
	}
	return list
}

func isPerson(uid uint32) bool {
	return uid == 0 || uid >= firstPerson && uid != nobody && uid < 1<<32-2
}

// mount is a line of mountinfo (proc_pid_mountinfo(5)).
type mount struct{ point, kind string }

func parseMounts(text string) []mount {
	var list []mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kind) < 1 {
			continue
		}
		list = append(list, mount{point: unescape(fields[4]), kind: kind[0]})
	}
	return list
}

// unescape undoes the octal escapes of spaces and the like.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// kindAt is the file system that a path without links is on: that of the longest mount point, the last of several.
func kindAt(path string, mounts []mount) string {
	kind, longest := "", -1
	for _, m := range mounts {
		point := strings.TrimSuffix(m.point, "/")
		if (path == point || strings.HasPrefix(path, point+"/")) && len(point) >= longest {
			kind, longest = m.kind, len(point)
		}
	}
	return kind
}

// remote tells whether looking at a file system may ask another computer. What is not known of FUSE counts as remote.
func remote(kind string) bool {
	switch kind {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "autofs", "9p", "ceph", "lustre", "gpfs", "glusterfs", "coda", "ncpfs", "beegfs",
		"ocfs2", "gfs2", "virtiofs", "prl_fs", "vboxsf", "fuse":
		return true
	}
	return strings.HasPrefix(kind, "fuse.")
}
