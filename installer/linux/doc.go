// Package linux makes the deb and rpm packages of the client and of the server, with the systems' own tools: dpkg-deb and rpmbuild.
// Programs of another architecture make packages as well as those of this one.
//
// What it decided:
//   - Everything is dated with the release's time, belongs to root, and has its mode written here: two builds are the same bytes.
//   - The resident and the services are static; platen-window needs OpenGL and X11. Only the C library is a dependency, the
//     window's other libraries are recommended: a computer without a desktop is enrolled and vouches all the same, and without the
//     window the resident still has its icon, notifications and command line.
//   - The client's service starts by itself, on both families: a computer that IT pushed the package to shall need no hand. A site
//     says otherwise by policy-rc.d (deb) or a preset (rpm). The server starts by itself on Debian, as servers do there; on
//     rpm systems the distribution's presets decide, as they do there.
//   - Removing a deb keeps settings, the computer's key and what is kept of people; purging one, and erasing an rpm, take them unless
//     KEEPDATA=1 is in the environment or /etc/platen/keep-data is there. A server's data, people's money, is never removed by a
//     package. In people's homes nothing is done but as them: by platen-deploy, and at a purge, when it is gone, by the script.
//   - Scripts run as root: they write nowhere that somebody else can write, follow no link, and never fail because a service does
//     not start. They survive without systemd, and with DPKG_ROOT.
package linux
