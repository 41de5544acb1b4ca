package osuser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows"

	"github.com/platenprint/platen/auth/usermap"
)

// lookupTimeout is how long Windows may look for an account: without its domain controller it takes its time.
const lookupTimeout = 5 * time.Second

// Of asks Windows about the account with a SID, as Current does about this process's. It is for a service that was told
// by the kernel who asks it. It fails if neither this computer nor its domain knows the SID.
func Of(ctx context.Context, id string) (Account, error) {
	sid, err := windows.StringToSid(id)
	if err != nil {
		return Account{}, fmt.Errorf("find an account: %.200q is no SID", id)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	type answer struct {
		account Account
		err     error
	}
	found := make(chan answer, 1)
	go func() { // the calls cannot be stopped, so they are left to finish by themselves
		a, err := ofSID(sid)
		found <- answer{a, err}
	}()
	select {
	case a := <-found:
		return a.account, a.err
	case <-ctx.Done():
		return Account{}, fmt.Errorf("find the account of %s: %w", id, ctx.Err())
	}
}

func ofSID(sid *windows.SID) (Account, error) {
	name, domain, kind, err := sid.LookupAccount("")
	if err != nil {
		return Account{}, fmt.Errorf("find the account of %s: %w", sid, err)
	}
	if kind != windows.SidTypeUser {
		return Account{}, fmt.Errorf("find the account of %s: it is no person's", sid)
	}
	a := Parse(domain+`\`+name, computerName(), "windows").withSID(sid.String())
	a.JoinDomain, a.JoinRealm = membership()
	if a.Kind != usermap.KindLocal {
		a.UPN, _ = translateName(a.Raw, nameSamCompatible, nameUserPrincipal) // none without a domain controller
	}
	return a, nil
}

// translateName is TranslateName of secur32.dll, which asks the domain controller.
func translateName(name string, from, to uint32) (string, error) {
	account, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return "", err
	}
	size := uint32(256)
	for {
		buf := make([]uint16, size)
		err := windows.TranslateName(account, from, to, &buf[0], &size)
		if err == nil {
			return windows.UTF16ToString(buf), nil
		}
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || size <= uint32(len(buf)) {
			return "", fmt.Errorf("translate the name of an account: %w", err)
		}
	}
}
