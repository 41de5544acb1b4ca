#!/bin/sh
# After the files are there, at an installation, an upgrade, or an attempt that was broken off.
set -e

unit=platen-deploy.service

case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove)
	# Enabled at first, and after that as the administrator left it.
	deb-systemd-helper unmask "$unit" >/dev/null || true
	if deb-systemd-helper --quiet was-enabled "$unit"; then
		deb-systemd-helper enable "$unit" >/dev/null || true
	else
		deb-systemd-helper update-state "$unit" >/dev/null || true
	fi
	if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		action=start
		[ -z "$2" ] || action=restart
		deb-systemd-invoke "$action" "$unit" >/dev/null ||
			echo "platen: the service did not start; see: journalctl -u $unit" >&2
	fi
	# People who are logged on go on with the new program. Without one running this does nothing.
	if [ -z "${DPKG_ROOT:-}" ] && [ -n "$2" ]; then
		timeout 60 /usr/bin/platen-deploy clients restart </dev/null >/dev/null 2>&1 || true
	fi
	;;
esac
exit 0
