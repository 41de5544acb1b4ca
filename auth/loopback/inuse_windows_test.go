package loopback

import "golang.org/x/sys/windows"

const taken = windows.WSAEADDRINUSE
