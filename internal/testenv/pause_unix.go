//go:build unix

package testenv

import "syscall"

// Pause stops the daemon in its tracks: it stays on the bus and answers nothing, until Resume.
func (k *KeyringDaemon) Pause() { k.signal(syscall.SIGSTOP) }

// Resume lets a paused daemon go on.
func (k *KeyringDaemon) Resume() { k.signal(syscall.SIGCONT) }

func (k *KeyringDaemon) signal(s syscall.Signal) {
	k.t.Helper()
	if err := syscall.Kill(k.process.pid, s); err != nil {
		k.t.Fatalf("signal gnome-keyring-daemon: %v", err)
	}
}
