# After the files are gone: 0 when the package was erased, 1 at an upgrade. What the server kept is people's money: it stays.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload >/dev/null 2>&1 || :
fi
if [ "$1" -eq 0 ] && [ -d /var/lib/platen-server ] && [ ! -L /var/lib/platen-server ] && ! rmdir -- /var/lib/platen-server 2>/dev/null; then
	echo "platen-server: /var/lib/platen-server, with everybody's balances and the keys of the backups, was kept."
	echo "platen-server: to remove it for good: rm -r /var/lib/platen-server; userdel platen-server"
fi
exit 0
