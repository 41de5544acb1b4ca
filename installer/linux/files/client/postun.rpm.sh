# After the files are gone: 0 when the package was erased, 1 at an upgrade.
# take removes a folder that only root writes in. What is a link is not what the service made, and stays.
take() {
	for folder; do
		if [ -L "$folder" ]; then
			echo "platen: $folder is a link; what it leads to was left alone" >&2
		elif [ -d "$folder" ]; then
			rm -rf -- "$folder"
		fi
	done
}
if [ "$1" -eq 0 ] && [ "${KEEPDATA:-}" != 1 ] && [ ! -e /etc/platen/keep-data ]; then
	take /var/lib/platen-deploy /var/log/platen-deploy
	if [ -d /etc/platen ] && [ ! -L /etc/platen ]; then
		# Files of ours by name; site.conf belongs to the package that brought it.
		rm -f -- /etc/platen/platen.conf /etc/platen/platen.conf.rpmsave /etc/platen/platen.conf.rpmnew /etc/platen/policy.conf \
			/etc/platen/recommended.conf /etc/platen/enrolment.token
		rmdir -- /etc/platen 2>/dev/null || echo "platen: there are other files in /etc/platen; they stay" >&2
	fi
	rm -f -- /etc/xdg/autostart/org.platenprint.platen.desktop.rpmsave
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload >/dev/null 2>&1 || :
fi
exit 0
