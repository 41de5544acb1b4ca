# Before the files go: 0 when the package is erased, 1 at an upgrade, which leaves everything running.
if [ "$1" -eq 0 ]; then
	if command -v systemctl >/dev/null 2>&1; then
		if [ -d /run/systemd/system ]; then
			systemctl stop platen-deploy.service >/dev/null 2>&1 || :
		fi
		systemctl --no-reload disable platen-deploy.service >/dev/null 2>&1 || :
	fi
	if [ "${KEEPDATA:-}" = 1 ] || [ -e /etc/platen/keep-data ]; then
		timeout 60 /usr/bin/platen-deploy clients stop </dev/null >/dev/null 2>&1 || :
	else
		timeout 300 /usr/bin/platen-deploy clients purge </dev/null >/dev/null 2>&1 || :
		timeout 60 /usr/bin/platen-deploy purge </dev/null >/dev/null 2>&1 || :
	fi
fi
exit 0
