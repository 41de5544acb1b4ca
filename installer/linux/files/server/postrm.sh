#!/bin/sh
# After the files are gone. What the server kept is people's money: no package removes it.
set -e

unit=platen-server.service
root="${DPKG_ROOT:-}"
data=/var/lib/platen-server

case "$1" in
remove)
	deb-systemd-helper mask "$unit" >/dev/null || true
	;;
purge)
	rmdir -- "$root/etc/platen-server" 2>/dev/null || true
	if [ -d "$root$data" ] && [ ! -L "$root$data" ] && ! rmdir -- "$root$data" 2>/dev/null; then
		echo "platen-server: $data, with everybody's balances and the keys of the backups, was kept." >&2
		echo "platen-server: to remove it for good: rm -r $data; userdel platen-server" >&2
	fi
	deb-systemd-helper purge "$unit" >/dev/null || true
	deb-systemd-helper unmask "$unit" >/dev/null || true
	;;
esac
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
exit 0
