#!/bin/sh
# Before the files go. An upgrade leaves everything running: postinst restarts it.
set -e

if [ "$1" = remove ] && [ -z "${DPKG_ROOT:-}" ]; then
	if [ -d /run/systemd/system ]; then
		deb-systemd-invoke stop platen-deploy.service >/dev/null || true
	fi
	timeout 60 /usr/bin/platen-deploy clients stop </dev/null >/dev/null 2>&1 || true
fi
exit 0
