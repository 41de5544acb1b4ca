#!/bin/sh
# After the files are there, at an installation, an upgrade, or an attempt that was broken off.
set -e

unit=platen-server.service
account=platen-server
root="${DPKG_ROOT:-}"
etc=/etc/platen-server
data=/var/lib/platen-server

# number is the user's (passwd) or group's (group) number in the system that is installed into, which need not be this one.
number() {
	if [ -z "$root" ]; then
		getent "$1" "$account" | cut -d: -f3
	else
		sed -n "s/^$account:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/$1" 2>/dev/null
	fi
}

# own gives a file or folder of the package's to the service's group, unless the administrator said whose it is.
own() {
	if [ ! -L "$root$1" ] && [ -e "$root$1" ] && ! dpkg-statoverride --list "$1" >/dev/null; then
		chgrp "$(number group)" "$root$1"
	fi
}

case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove)
	if [ -z "$(number passwd)" ]; then
		if command -v systemd-sysusers >/dev/null 2>&1; then
			systemd-sysusers --root="$root/" platen-server.conf
		elif [ -n "$root" ]; then
			echo "platen-server: $root needs an account and a group $account" >&2
			exit 1
		else
			adduser --system --group --quiet --home "$data" --no-create-home --gecos "Platen Server" "$account"
		fi
	fi
	own "$etc"
	own "$etc/platen-server.yaml"
	# systemd would make it; so would a hand that starts the program without systemd.
	if [ ! -e "$root$data" ] && [ ! -L "$root$data" ]; then
		mkdir -p "$root/var/lib"
		mkdir -m 0700 "$root$data"
		chown "$(number passwd):$(number group)" "$root$data"
	fi
	deb-systemd-helper unmask "$unit" >/dev/null || true
	if deb-systemd-helper --quiet was-enabled "$unit"; then
		deb-systemd-helper enable "$unit" >/dev/null || true
	else
		deb-systemd-helper update-state "$unit" >/dev/null || true
	fi
	if [ -z "$root" ] && [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		action=start
		[ -z "$2" ] || action=restart
		# It may have a database to convert, or to wait for: an installation does not wait for that.
		timeout 60 deb-systemd-invoke "$action" "$unit" >/dev/null ||
			echo "platen-server: it is not ready yet; see: journalctl -u $unit" >&2
	fi
	if [ -z "$2" ]; then
		echo "platen-server: settings are in $etc/platen-server.yaml, and what comes next is in /usr/share/doc/platen-server/README.Debian."
		echo "platen-server: keep a copy of $data/master.key in another place: without it no backup can be restored."
	fi
	;;
esac
exit 0
