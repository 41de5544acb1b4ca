// Package policy writes what administrators hand to their management systems: Group Policy templates (ADMX, ADML), macOS
// configuration profiles, settings files, registry files and OMA-URI settings. All of it comes from the one table of package settings, so that no setting can be
// missing anywhere, and what is written reads back as the same value (tests, through internal/settings/sources).
//
// The package does no I/O and holds nothing: the same input gives the same bytes. Values are checked before they are written, so
// that none can end an attribute, a line or a string it stands in.
package policy
