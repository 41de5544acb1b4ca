package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/printqueue/ipc"
)

func TestE9_StatusSaysWhereTheServerComesFromAndWhatIsNext(t *testing.T) {
	next := time.Date(2026, 11, 22, 9, 30, 5, 0, time.Local)
	for name, tc := range map[string]struct {
		status ipc.Status
		want   []string
		not    string
	}{
		"on its way": {
			ipc.Status{
				Enrolment: ipc.EnrolmentNone, Wanted: "https://print.example.org", WantedBy: "policy /etc/platen/policy.conf:1",
				Problem: ipc.CodeUnreachable, Detail: "ask the server for its devices' listener at print.example.org:443: no route", NextTry: next,
			},
			[]string{
				"This computer is not enrolled yet. It asks https://print.example.org by itself", "settings:        https://print.example.org (policy /etc/platen/policy.conf:1)",
				"problem:         ask the server", "next try:        at 2026-11-22 09:30:05",
			},
			"platen-deploy enrol",
		},
		"waiting": {
			ipc.Status{Enrolment: ipc.EnrolmentPending, Fingerprint: "abcd", Wanted: "https://print.example.org", WantedBy: "installer HKLM", NextTry: next},
			[]string{"waits for an administrator's approval", "next try:", "fingerprint:     abcd"},
			"problem",
		},
		"nobody wants it": {ipc.Status{Enrolment: ipc.EnrolmentNone, NextTry: next}, []string{"To enrol it: platen-deploy enrol"}, "next try"},
		"done":            {ipc.Status{Enrolment: ipc.EnrolmentDone, Enrolled: true, NextTry: next}, []string{"is enrolled and vouches"}, "next try"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{Deps: Deps{Stdout: &out}}
			p.describe(tc.status)
			for _, want := range tc.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), tc.not) {
				t.Errorf("%q in:\n%s", tc.not, out.String())
			}
		})
	}
}
