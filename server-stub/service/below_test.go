package service

import "testing"

func TestOnlyProgramFilesIsAdministrators(t *testing.T) {
	const folder = `C:\Program Files`
	for path, want := range map[string]bool{
		`C:\Program Files\Platen Server\platen-server.exe`: true,
		`c:\program files\platen\platen-server.exe`:        true,
		`C:\Program Files Evil\platen-server.exe`:          false,
		`C:\Program Files`:                                 false,
		`C:\Program Files\..\Users\a\platen-server.exe`:    false,
		`C:\Users\alex\Downloads\platen-server.exe`:        false,
		`\\server\share\Program Files\platen-server.exe`:   false,
	} {
		if got := below(folder, path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
	if below("", `C:\x`) {
		t.Error("everything is below nothing")
	}
}
