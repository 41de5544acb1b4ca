#!/bin/sh
# After the files are there, at an installation, an upgrade, or an attempt that was broken off.
set -e

unit=platen-server.service
account=platen-server
etc=/etc/platen-server
data=/var/lib/platen-server

# own gives a file or folder of the package's to the service's group, unless the administrator said whose it is.
own() {
	if [ ! -L "$1" ] && [ -e "$1" ] && ! dpkg-statoverride --list "$1" >/dev/null; then
		chgrp "$account" "$1"
	fi
}

case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove)
	if ! getent passwd "$account" >/dev/null; then
		if command -v systemd-sysusers >/dev/null 2>&1; then
			systemd-sysusers platen-server.conf
		else
			adduser --system --group --quiet --home "$data" --no-create-home --gecos "Platen Server" "$account"
		fi
	fi
	own "$etc"
	own "$etc/platen-server.yaml"
	# systemd would make it; so would a hand that starts the program without systemd.
	if [ ! -e "$data" ] && [ ! -L "$data" ]; then
		mkdir -m 0700 "$data"
		chown "$account:$account" "$data"
	fi
	deb-systemd-helper unmask "$unit" >/dev/null || true
	if deb-systemd-helper --quiet was-enabled "$unit"; then
		deb-systemd-helper enable "$unit" >/dev/null || true
	else
		deb-systemd-helper update-state "$unit" >/dev/null || true
	fi
	if [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		action=start
		[ -z "$2" ] || action=restart
		deb-systemd-invoke "$action" "$unit" >/dev/null ||
			echo "platen-server: it did not start; see: journalctl -u $unit" >&2
	fi
	if [ -z "$2" ]; then
		echo "platen-server: settings are in $etc/platen-server.yaml, and what comes next is in /usr/share/doc/platen-server/README.Debian."
		echo "platen-server: keep a copy of $data/master.key in another place: without it no backup can be restored."
	fi
	;;
esac
exit 0
