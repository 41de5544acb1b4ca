# After the files are there: 1 at an installation, 2 at an upgrade.
if command -v systemctl >/dev/null 2>&1; then
	if [ "$1" -eq 1 ]; then
		systemctl --no-reload preset platen-server.service >/dev/null 2>&1 || :
	fi
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload >/dev/null 2>&1 || :
		if [ "$1" -gt 1 ]; then
			# It may have a database to convert, or to wait for: an upgrade does not wait for that.
			timeout 60 systemctl try-restart platen-server.service >/dev/null 2>&1 ||
				echo "platen-server: it is not ready yet; see: journalctl -u platen-server" >&2
		elif systemctl is-enabled --quiet platen-server.service 2>/dev/null; then
			timeout 60 systemctl start platen-server.service >/dev/null 2>&1 ||
				echo "platen-server: it is not ready yet; see: journalctl -u platen-server" >&2
		fi
	fi
fi
if [ "$1" -eq 1 ]; then
	echo "platen-server: look through /etc/platen-server/platen-server.yaml, then: systemctl enable --now platen-server"
	echo "platen-server: what comes next is in /usr/share/doc/platen-server/README.first-start."
fi
exit 0
