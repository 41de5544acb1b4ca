# After the files are there: 1 at an installation, 2 at an upgrade. A preset of the site's can keep the service off.
if command -v systemctl >/dev/null 2>&1; then
	if [ "$1" -eq 1 ]; then
		systemctl --no-reload preset platen-deploy.service >/dev/null 2>&1 || :
	fi
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload >/dev/null 2>&1 || :
		if [ "$1" -gt 1 ]; then
			systemctl try-restart platen-deploy.service >/dev/null 2>&1 || :
		elif systemctl is-enabled --quiet platen-deploy.service 2>/dev/null; then
			systemctl start platen-deploy.service >/dev/null 2>&1 ||
				echo "platen: the service did not start; see: journalctl -u platen-deploy" >&2
		fi
	fi
fi
# People who are logged on go on with the new program. Without one running this does nothing.
if [ "$1" -gt 1 ]; then
	timeout 60 /usr/bin/platen-deploy clients restart </dev/null >/dev/null 2>&1 || :
fi
exit 0
