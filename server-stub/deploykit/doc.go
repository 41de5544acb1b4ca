// Package deploykit writes the folder that an administrator hands to the tools that manage a site's computers: Group Policy
// templates, a macOS profile, a Debian package with the site's settings, scripts, instructions with the very lines to type, and the
// packages under names that tell the server. All of it is for one server, with the pin of its certificate authority, and nothing
// in it is secret unless an enrolment token was asked for.
//
// The same input gives the same bytes. Everything that can go wrong is found before anything is written, and a folder that has
// anybody else's files is left alone.
package deploykit
