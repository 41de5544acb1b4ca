#!/bin/sh
# Before the files go. An upgrade leaves the server running: postinst restarts it.
set -e

if [ "$1" = remove ] && [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop platen-server.service >/dev/null || true
fi
exit 0
