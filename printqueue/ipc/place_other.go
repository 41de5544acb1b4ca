//go:build !linux && !darwin && !windows

package ipc

import (
	"context"
	"errors"
	"net"
)

const earlyPeer = true

// Place is where the service listens, and whose it must be. It prints as what it is.
type Place struct {
	address, owner string
}

// System is nowhere: there is no service for this system.
func System() Place { return Place{} }

// At is nowhere, too.
func At(string, string) Place { return Place{} }

func listen(context.Context, Place) (net.Listener, error) { return nil, errors.ErrUnsupported }

func dial(_ context.Context, place Place) (net.Conn, error) { return nil, notRunning(place) }

func early(net.Conn) (string, error) { return "", errors.ErrUnsupported }

func identify(net.Conn) (Peer, error) { return Peer{}, errors.ErrUnsupported }
