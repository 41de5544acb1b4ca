// Package install takes a computer from nothing to a signed-in balance with what IT has: the package, the server's name and pin in
// a settings file, and an approval. dpkg, SSSD, slapd, the keyring and the session bus are real; systemd is the test.
package install
