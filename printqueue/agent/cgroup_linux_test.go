package agent

import "testing"

func TestSessionOfCgroup(t *testing.T) {
	for text, want := range map[string]string{
		"0::/user.slice/user-1000.slice/session-c2.scope\n":                               "c2",
		"0::/user.slice/user-1000.slice/session-3.scope/sub\n":                            "3",
		"12:pids:/x\n1:name=systemd:/user.slice/user-1000.slice/session-7.scope\n":        "7",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-platen.service\n": "",
		"0::/\n":                              "",
		"":                                    "",
		"0::/session-../../etc.scope\n":       "",
		"0::/user.slice/session-.scope\n":     "",
		"0::/session-a b.scope\n":             "",
		"no colon session-1.scopes session-x": "",
	} {
		if got := sessionOfCgroup(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
