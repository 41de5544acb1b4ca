#!/bin/sh
# Removes Platen from this Mac, as root:
#
#	sudo "/Library/Application Support/Platen/uninstall.sh"
#	sudo KEEPDATA=1 "/Library/Application Support/Platen/uninstall.sh"
#
# Everything goes: programs, settings, this Mac's enrolment and its key, logs, and what is kept of people who use it (their
# own programs remove it, or it is removed as them; this script enters no folder of theirs). KEEPDATA=1 keeps settings,
# enrolment, and what is kept of people, for an installation that follows.
#
# Exit codes: 0 removed, 1 not or not wholly, 2 wrong arguments, 3 not root.

# A function is read as a whole before it runs: the script removes its own file.
main() {
	set -u
	PATH=/usr/bin:/bin:/usr/sbin:/sbin
	export PATH
	umask 022

	app='/Applications/Platen.app'
	agent_plist='/Library/LaunchAgents/org.platenprint.platen.plist'
	deploy_plist='/Library/LaunchDaemons/org.platenprint.deploy.plist'
	paths='/private/etc/paths.d/platen'
	socket='/private/var/run/platen'
	support='/Library/Application Support/Platen'
	launchctl='/bin/launchctl'
	pkgutil='/usr/sbin/pkgutil'
	ps='/bin/ps'
	pause='/bin/sleep 1'

	if [ $# -gt 0 ]; then
		echo 'Usage: sudo [KEEPDATA=1] uninstall.sh' >&2
		exit 2
	fi
	case ${KEEPDATA:-0} in
	0 | '') keep= ;;
	1) keep=1 ;;
	*)
		echo 'KEEPDATA is 1 (keep settings and enrolment) or 0.' >&2
		exit 2
		;;
	esac
	if [ "$(/usr/bin/id -u)" != 0 ]; then
		echo 'Run this as root: sudo' "\"$support/uninstall.sh\"" >&2
		exit 3
	fi
	wrong=0
	warn() {
		echo "Platen: $1" >&2
		wrong=1
	}

	# What is kept of people goes while the programs are still there to remove it. Nothing is run that is not root's.
	deploy="$support/bin/platen-deploy"
	for path in "$support" "$support/bin" "$deploy"; do
		if [ -L "$path" ] || [ ! -O "$path" ]; then
			deploy=
		fi
	done
	if [ ! -x "$deploy" ]; then
		deploy=
	fi
	if [ -n "$deploy" ]; then
		if [ -n "$keep" ]; then
			"$deploy" clients stop || warn 'some programs still run; they end with their session.'
		else
			"$deploy" clients purge || warn 'not everything that is kept of people could be removed.'
		fi
	fi
	for uid in $("$ps" -axo uid=,comm= | /usr/bin/awk '$2 ~ /\/loginwindow$/ && $1 + 0 > 500 { print $1 }' | /usr/bin/sort -u); do
		"$launchctl" bootout "gui/$uid/org.platenprint.platen" 2>/dev/null
	done
	"$launchctl" bootout system/org.platenprint.deploy 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do # it may still be ending, and write
		"$launchctl" print system/org.platenprint.deploy >/dev/null 2>&1 || break
		$pause
	done
	if [ -z "$keep" ] && [ -n "$deploy" ]; then
		"$deploy" purge || warn 'the service did not remove its data; it is removed with its folder.'
	fi

	# rm removes a link, not what it leads to; the folders that these names are in are root's, or administrators'.
	/bin/rm -rf "$app" || warn "$app could not be removed."
	/bin/rm -rf "$socket" || warn "$socket could not be removed; macOS does when it starts."
	/bin/rm -f "$agent_plist" "$deploy_plist" "$paths" || warn 'a file of launchd or of the shells could not be removed.'
	if [ -L "$support" ]; then
		/bin/rm -f "$support" || warn "$support could not be removed."
	elif [ -z "$keep" ]; then
		/bin/rm -rf "$support" || warn "$support could not be removed."
	else
		/bin/rm -rf "$support/bin" && /bin/rm -f "$support/uninstall.sh" "$support/platen.conf.default" ||
			warn "not all programs in $support could be removed."
	fi
	"$pkgutil" --forget org.platenprint.platen >/dev/null 2>&1
	if [ "$wrong" = 1 ]; then
		echo 'Platen is removed, but not wholly.' >&2
		exit 1
	fi
	if [ -n "$keep" ]; then
		echo "Platen is removed. Settings and enrolment stay in $support."
	else
		echo 'Platen is removed. On the server the Mac stays listed until: platen-server device forget'
	fi
	exit 0
}

main "$@"
