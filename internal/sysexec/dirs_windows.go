package sysexec

import "golang.org/x/sys/windows"

func systemDirs() []string {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return nil
	}
	return []string{dir}
}
