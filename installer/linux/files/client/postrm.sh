#!/bin/sh
# After the files are gone. Removing keeps the settings and the computer's key, purging takes them.
set -e

unit=platen-deploy.service

# take removes a folder that only root writes in. What is a link is not what the service made, and stays.
take() {
	for folder; do
		folder="${DPKG_ROOT:-}$folder"
		if [ -L "$folder" ]; then
			echo "platen: $folder is a link; what it leads to was left alone" >&2
		elif [ -d "$folder" ]; then
			rm -rf -- "$folder"
		fi
	done
}

case "$1" in
remove)
	deb-systemd-helper mask "$unit" >/dev/null || true
	;;
purge)
	take /var/lib/platen-deploy /var/log/platen-deploy
	etc="${DPKG_ROOT:-}/etc/platen"
	if [ -d "$etc" ] && [ ! -L "$etc" ]; then
		# Files of ours by name; site.conf belongs to the package that brought it.
		rm -f -- "$etc/policy.conf" "$etc/recommended.conf" "$etc/enrolment.token" "$etc/keep-data"
		rmdir -- "$etc" 2>/dev/null || echo "platen: there are other files in $etc; they stay" >&2
	fi
	deb-systemd-helper purge "$unit" >/dev/null || true
	deb-systemd-helper unmask "$unit" >/dev/null || true
	;;
esac
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
exit 0
