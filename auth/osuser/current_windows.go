package osuser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/platenprint/platen/auth/usermap"
)

// niceTimeout is how long Windows may look for the UPN and the full name: without its domain controller it takes its
// time, and the client starts without them.
const niceTimeout = 5 * time.Second

// Formats of GetUserNameEx (EXTENDED_NAME_FORMAT).
const (
	nameSamCompatible = windows.NameSamCompatible
	nameDisplay       = windows.NameDisplay
	nameUserPrincipal = windows.NameUserPrincipal
)

// Current asks Windows who runs this process. It fails only if there is no name at all.
func Current(ctx context.Context) (Account, error) {
	sid, domainName, err := tokenUser()
	if err != nil {
		return Account{}, fmt.Errorf("ask who is logged on: %w", err)
	}
	a := Parse(domainName, computerName(), "windows").withSID(sid)
	a.JoinDomain, a.JoinRealm = membership()
	if a.Kind == usermap.KindLocal {
		a.DisplayName = niceNames(ctx).display
		return a, nil
	}
	names := niceNames(ctx)
	a.UPN, a.DisplayName = names.upn, names.display
	return a, nil
}

// tokenUser returns the SID of the process token and DOMAIN\name.
func tokenUser() (sid, name string, err error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", "", fmt.Errorf("read the process token: %w", err)
	}
	sid = user.User.Sid.String()
	if name, err = userNameEx(nameSamCompatible); err == nil && name != "" {
		return sid, name, nil
	}
	account, domain, _, err := user.User.Sid.LookupAccount("")
	if err != nil {
		return "", "", fmt.Errorf("look up %s: %w", sid, err)
	}
	return sid, domain + `\` + account, nil
}

// nice is what Windows may have to ask a domain controller for.
type nice struct{ upn, display string }

// niceNames waits for at most niceTimeout; the call itself cannot be stopped, so it is left to finish by itself.
func niceNames(ctx context.Context) nice {
	ctx, cancel := context.WithTimeout(ctx, niceTimeout)
	defer cancel()
	found := make(chan nice, 1)
	go func() {
		var n nice
		n.upn, _ = userNameEx(nameUserPrincipal) // none for local accounts
		n.display, _ = userNameEx(nameDisplay)
		found <- n
	}()
	select {
	case n := <-found:
		return n
	case <-ctx.Done():
		return nice{}
	}
}

// userNameEx is GetUserNameEx of secur32.dll.
func userNameEx(format uint32) (string, error) {
	size := uint32(256)
	for {
		buf := make([]uint16, size)
		err := windows.GetUserNameEx(format, &buf[0], &size)
		if err == nil {
			return windows.UTF16ToString(buf), nil
		}
		if !errors.Is(err, windows.ERROR_MORE_DATA) || size <= uint32(len(buf)) {
			return "", fmt.Errorf("ask for the name in format %d: %w", format, err)
		}
	}
}

// computerName is the NetBIOS name, which Windows writes as the domain of local accounts.
func computerName() string {
	if name, err := windows.ComputerName(); err == nil {
		return name
	}
	name, err := os.Hostname()
	if err != nil {
		return "" // a nicety
	}
	return name
}

// membership tells the NetBIOS and the DNS name of the domain that the computer has joined.
func membership() (domain, realm string) {
	var name *uint16
	var status uint32
	if err := windows.NetGetJoinInformation(nil, &name, &status); err != nil {
		return "", ""
	}
	defer func() { _ = windows.NetApiBufferFree((*byte)(unsafe.Pointer(name))) }()
	if status != windows.NetSetupDomainName {
		return "", ""
	}
	return windows.UTF16PtrToString(name), dnsDomain()
}

func dnsDomain() string {
	size := uint32(256)
	for {
		buf := make([]uint16, size)
		err := windows.GetComputerNameEx(windows.ComputerNameDnsDomain, &buf[0], &size)
		if err == nil {
			return windows.UTF16ToString(buf)
		}
		if !errors.Is(err, windows.ERROR_MORE_DATA) || size <= uint32(len(buf)) {
			return ""
		}
	}
}
