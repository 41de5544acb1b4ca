package osservice

import "testing"

func TestR_WIN_1_OnlyProgramFilesIsAdministrators(t *testing.T) {
	const folder = `C:\Program Files`
	for path, want := range map[string]bool{
		`C:\Program Files\Platen Server\platen-server.exe`: true,
		`c:\program files\platen\platen-deploy.exe`:        true,
		`C:\Program Files Evil\platen-deploy.exe`:          false,
		`C:\Program Files`:                                 false,
		`C:\Program Files\..\Users\a\platen-deploy`:        false,
		`C:\Users\alex\Downloads\platen-deploy.exe`:        false,
		`\\server\share\Program Files\platen-deploy`:       false,
		`D:\C:\Program Files\Platen\platen-deploy.exe`:     false,
	} {
		if got := below(folder, path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
	if below("", `C:\x`) {
		t.Error("everything is below nothing")
	}
}
