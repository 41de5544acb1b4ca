package proxy

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ThisSystem is Windows' own settings.
func ThisSystem() System { return windowsSystem{newDLL()} }

// dll calls winhttp.dll from the system folder (learn.microsoft.com, "WinHTTP AutoProxy Functions").
type dll struct {
	settings, open, resolve, closeHandle *windows.LazyProc
	free                                 *windows.LazyProc
}

func newDLL() dll {
	winhttp := windows.NewLazySystemDLL("winhttp.dll")
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	return dll{
		settings:    winhttp.NewProc("WinHttpGetIEProxyConfigForCurrentUser"),
		open:        winhttp.NewProc("WinHttpOpen"),
		resolve:     winhttp.NewProc("WinHttpGetProxyForUrl"),
		closeHandle: winhttp.NewProc("WinHttpCloseHandle"),
		free:        kernel.NewProc("GlobalFree"),
	}
}

// ieConfig is WINHTTP_CURRENT_USER_IE_PROXY_CONFIG.
type ieConfig struct {
	autoDetect    int32
	autoConfigURL *uint16
	proxy         *uint16
	bypass        *uint16
}

// autoOptions is WINHTTP_AUTOPROXY_OPTIONS.
type autoOptions struct {
	flags         uint32
	detectFlags   uint32
	autoConfigURL *uint16
	reserved      unsafe.Pointer
	reservedWord  uint32
	autoLogon     int32
}

// proxyInfo is WINHTTP_PROXY_INFO.
type proxyInfo struct {
	accessType uint32
	proxy      *uint16
	bypass     *uint16
}

// Constants of winhttp.h.
const (
	accessNoProxy    = 1
	accessNamedProxy = 3
	autoDetect       = 1 // WINHTTP_AUTOPROXY_AUTO_DETECT
	autoConfigURL    = 2 // WINHTTP_AUTOPROXY_CONFIG_URL
	detectDHCP       = 1
	detectDNS        = 2
)

// take copies a string that WinHTTP allocated and frees it.
func (d dll) take(text *uint16) string {
	if text == nil {
		return ""
	}
	copied := windows.UTF16PtrToString(text)
	_, _, _ = d.free.Call(uintptr(unsafe.Pointer(text)))
	return copied
}

func (d dll) Settings() (userSettings, error) {
	if err := d.settings.Find(); err != nil {
		return userSettings{}, err
	}
	var config ieConfig
	if ok, _, err := d.settings.Call(uintptr(unsafe.Pointer(&config))); ok == 0 {
		return userSettings{}, fmt.Errorf("read the proxy settings of Windows: %w", err)
	}
	return userSettings{
		Detect: config.autoDetect != 0,
		PAC:    d.take(config.autoConfigURL),
		Proxy:  d.take(config.proxy),
		Bypass: d.take(config.bypass),
	}, nil
}

func (d dll) Resolve(target string, detect bool, pac string) (string, error) {
	address, err := windows.UTF16PtrFromString(target)
	if err != nil {
		return "", err
	}
	session, _, err := d.open.Call(0, accessNoProxy, 0, 0, 0)
	if session == 0 {
		return "", fmt.Errorf("open WinHTTP: %w", err)
	}
	defer func() { _, _, _ = d.closeHandle.Call(session) }()
	options := autoOptions{autoLogon: 1}
	if detect {
		options.flags, options.detectFlags = autoDetect, detectDHCP|detectDNS
	}
	if pac != "" {
		options.flags |= autoConfigURL
		if options.autoConfigURL, err = windows.UTF16PtrFromString(pac); err != nil {
			return "", err
		}
	}
	var info proxyInfo
	ok, _, err := d.resolve.Call(session, uintptr(unsafe.Pointer(address)), uintptr(unsafe.Pointer(&options)), uintptr(unsafe.Pointer(&info)))
	if ok == 0 {
		return "", fmt.Errorf("ask the PAC file: %w", err)
	}
	list := d.take(info.proxy)
	_ = d.take(info.bypass)
	if info.accessType != accessNamedProxy {
		return "", nil
	}
	return list, nil
}
