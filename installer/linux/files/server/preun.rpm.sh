# Before the files go: 0 when the package is erased, 1 at an upgrade, which leaves the server running.
if [ "$1" -eq 0 ] && command -v systemctl >/dev/null 2>&1; then
	if [ -d /run/systemd/system ]; then
		systemctl stop platen-server.service >/dev/null 2>&1 || :
	fi
	systemctl --no-reload disable platen-server.service >/dev/null 2>&1 || :
fi
exit 0
