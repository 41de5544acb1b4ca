#!/bin/sh
# After the files are gone. Removing keeps the settings, the computer's key and what is kept of people, purging takes them, unless
# KEEPDATA=1 is in the environment or /etc/platen/keep-data is there.
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

# What a person's own shell does in their home, $1: what the client writes goes, by its names (docs/client.md, "What removal
# removes"), whatever else is there stays. 0: there was something, 3: there was not, 4: it is not their home on this computer.
# shellcheck disable=SC2016
clear='
if ! [ -d "$1" ] || ! [ -O "$1" ]; then exit 4; fi
case $(stat -L -f -c %T -- "$1") in
"" | nfs* | cifs | smb* | afs | autofs | fuse* | v9fs | ceph | lustre | gpfs | coda | ocfs2 | gfs* | vboxsf | prl_fs) exit 4 ;;
esac
something=3
failed=
state=$1/.local/state/platen
if [ -d "$state" ]; then
	found=$(find -H "$state" -maxdepth 1 ! -type d "(" -name "session-*.sealed*" -o -name "note-*.sealed*" -o -name "microsoft-*.sealed*" \
		-o -name "server.json" -o -name "server.json.*" -o -name "platen.log" -o -name "platen.log.1" -o -name "crash.log" ")" \
		-print -delete) || failed=1
	if [ -n "$found" ]; then something=0; fi
	rmdir -- "$state" || true
fi
for base in .config .cache; do
	window=$1/$base/fyne/org.platenprint.platen
	if [ -e "$window" ] || [ -L "$window" ]; then
		rm -rf -- "$window" || failed=1
		rmdir -- "${window%/*}" || true
		something=0
	fi
done
if [ "$failed" ]; then exit 1; fi
exit "$something"
'

# as lets a person clear their home: with their rights, without terminal, environment or open files of root. chroot is here because
# it takes a number for a number; setpriv takes it for a name first, and some people are called 10234.
as() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C setsid -w timeout -k 1 10 setpriv --no-new-privs --inh-caps=-all \
		chroot --userspec="+$1:+$2" --groups= / sh -c "$clear" sh "$3" </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

# remote tells whether a path is on a file system that may ask another computer, by what the kernel tells: looking could hang.
remote() {
	at="$1/" awk '
		{ point = $5; sub("/*$", "/", point) }
		index(ENVIRON["at"], point) == 1 && length(point) >= longest {
			longest = length(point)
			for (i = 7; i < NF; i++) if ($i == "-") { kind = $(i + 1); break }
		}
		END { exit kind !~ /^(nfs4?|cifs|smb3|smbfs|afs|autofs|9p|ceph|lustre|gpfs|glusterfs|coda|ncpfs|beegfs|ocfs2|gfs2|virtiofs|prl_fs|vboxsf|fuse(\..*)?)$/ }
	' /proc/self/mountinfo
}

# homes lists whose home is where, "uid:gid:path": of passwd, and below /home, where people are whom a directory knows.
homes() {
	cut -d: -f3,4,6 /etc/passwd
	if ! remote /home; then
		timeout -k 1 20 find -H /home -xdev -mindepth 1 -maxdepth 2 -type d '(' -uid 0 -o -prune -printf '%U:%G:%p\n' ')' || true
	fi
}

# people clears the homes of everybody on this computer.
people() {
	cleared=0
	slow=0
	while IFS=: read -r uid gid home; do
		case "$uid$gid" in *[!0-9]*) continue ;; esac
		case "$home" in /?*) ;; *) continue ;; esac
		if [ -z "$uid" ] || [ -z "$gid" ] || [ "${#uid}" -gt 10 ] || [ "$uid" -lt 1000 ] || [ "$uid" -eq 65534 ] || [ "$slow" -gt 10 ]; then
			continue
		fi
		if remote "$home"; then
			echo "platen: $home is on another computer; what is kept there was left alone" >&2
			continue
		fi
		code=0
		as "$uid" "$gid" "$home" || code=$?
		case "$code" in
		0) cleared=$((cleared + 1)) ;;
		3 | 4) ;;
		*)
			echo "platen: what is kept in $home was not removed, or not wholly" >&2
			if [ "$code" -ge 124 ]; then slow=$((slow + 1)); fi # it took too long
			;;
		esac
	done
	echo "platen: homes cleared of what the client kept there: $cleared"
}

case "$1" in
remove)
	deb-systemd-helper mask "$unit" >/dev/null || true
	;;
purge)
	etc="${DPKG_ROOT:-}/etc/platen"
	if [ "${KEEPDATA:-}" = 1 ] || [ -e "$etc/keep-data" ]; then
		echo "platen: the computer's key, and what is kept of people, stay" >&2
	else
		if [ -z "${DPKG_ROOT:-}" ]; then
			homes | people
		fi
		take /var/lib/platen-deploy /var/log/platen-deploy
		if [ -d "$etc" ] && [ ! -L "$etc" ]; then
			# Files of ours by name; site.conf belongs to the package that brought it.
			rm -f -- "$etc/policy.conf" "$etc/recommended.conf" "$etc/enrolment.token"
			rmdir -- "$etc" 2>/dev/null || echo "platen: there are other files in $etc; they stay" >&2
		fi
	fi
	deb-systemd-helper purge "$unit" >/dev/null || true
	deb-systemd-helper unmask "$unit" >/dev/null || true
	;;
esac
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
exit 0
