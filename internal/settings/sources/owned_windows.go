package sources

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// readShared reads a file of the computer for a person. Every user may make folders and files in %ProgramData%: a file counts
// only if nobody but administrators could have written it.
func readShared(path string) ([]byte, error) { return readOwned(path) }

// readOwned reads a file that belongs to SYSTEM or the administrators and that nobody else may change.
func readOwned(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a plain file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := owned(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return readAll(f)
}

// What may be done with a file by somebody who can change what it says, or give themselves the right to.
const changing = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
	windows.GENERIC_WRITE | windows.GENERIC_ALL

func owned(f *os.File) error {
	found, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := found.Owner()
	if err != nil {
		return err
	}
	if !administrative(owner) && !ourselves(owner) {
		return fmt.Errorf("%w: it belongs to %s; remove it, or make it the Administrators' (takeown /a, icacls /reset)", errStranger, owner)
	}
	who, err := others(found, changing)
	if err != nil || who == nil {
		return err
	}
	return fmt.Errorf("%s may change it; take that right away (icacls)", who)
}

// others finds somebody beside administrators and ourselves whom an access list gives one of the rights; nil if there is nobody.
func others(descriptor *windows.SECURITY_DESCRIPTOR, rights windows.ACCESS_MASK) (*windows.SID, error) {
	acl, _, err := descriptor.DACL()
	if err != nil {
		return nil, err
	}
	if acl == nil { // no list: everybody may do everything
		return windows.CreateWellKnownSid(windows.WinWorldSid)
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return nil, err
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Mask&rights == 0 {
			continue
		}
		if who := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !administrative(who) && !ourselves(who) {
			return who.Copy()
		}
	}
	return nil, nil
}

// administrative tells whether an account is SYSTEM, the administrators or Windows' own installer.
func administrative(who *windows.SID) bool {
	return who.IsWellKnown(windows.WinLocalSystemSid) || who.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		who.String() == "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
}

// ourselves tells whether an account is the one that this process runs as: who has written the file could as well have told it.
func ourselves(who *windows.SID) bool {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && who.Equals(user.User.Sid)
}

func forToken(c *Computer) { c.CloseKey = closeKey }

// closedKey lets SYSTEM and administrators do everything with a registry key, and nobody else anything.
const closedKey = "D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)"

// closeKey takes the right to read a key of HKLM from everybody but SYSTEM and administrators: below Policies, users may read
// by inheritance. Group Policy writes into a key that is there and leaves its access list alone.
func closeKey(key string) string {
	name := `MACHINE\` + strings.TrimPrefix(key, `HKLM\`)
	found, err := windows.GetNamedSecurityInfo(name, windows.SE_REGISTRY_KEY, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return "who may read " + key + " is not known: " + err.Error()
	}
	if who, err := others(found, windows.KEY_QUERY_VALUE|windows.GENERIC_READ|windows.GENERIC_ALL|changing); err == nil && who == nil {
		return ""
	}
	wanted, err := windows.SecurityDescriptorFromString(closedKey)
	if err == nil {
		var acl *windows.ACL
		if acl, _, err = wanted.DACL(); err == nil {
			err = windows.SetNamedSecurityInfo(name, windows.SE_REGISTRY_KEY,
				windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
		}
	}
	if err != nil {
		return "every user can read " + key + ", and that could not be changed: " + err.Error()
	}
	return "every user could read " + key + " until now; use tokens that are good for few computers and days"
}
