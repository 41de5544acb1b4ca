# Before the files are there: they belong to the service's group.
getent group platen-server >/dev/null || groupadd -r platen-server || :
getent passwd platen-server >/dev/null ||
	useradd -r -g platen-server -d /var/lib/platen-server -M -s /sbin/nologin -c "Platen Server" platen-server || :
exit 0
