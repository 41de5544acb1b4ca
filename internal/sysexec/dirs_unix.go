//go:build unix

package sysexec

func systemDirs() []string {
	return []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"}
}
