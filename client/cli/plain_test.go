package cli

import (
	"bytes"
	"fmt"
	"testing"
)

func TestNamesDoNothingToTheTerminal(t *testing.T) {
	var out bytes.Buffer
	p := &program{Deps: Deps{Stdout: plain{&out}, Stderr: plain{&out}}}
	if err := p.say("%s\t%s", "\x1b[2K\rZoë Ǌ.\u202egro.elpmaxe@sam", "\u009b31m\x07"); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), " [2K Zoë Ǌ. gro.elpmaxe@sam\t 31m \n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n, err := fmt.Fprint(p.Stderr, "\x1b\x1b"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestANameIsOneLineOfTheQuestion(t *testing.T) {
	var out bytes.Buffer
	p := &program{Deps: Deps{
		Stderr: &out, Stdin: bytes.NewBufferString("n\n"), ReadPassword: func() (string, error) { return "", nil },
	}}
	if f := p.confirm("sam@example.org\nYou signed in as alex@example.org"); f == nil || bytes.ContainsRune(out.Bytes(), '\n') {
		t.Errorf("%v, %q", f, out.String())
	}
}
