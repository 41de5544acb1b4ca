// Package config makes the client's settings of what the computer says: it gives every value of internal/settings' table its
// type and its meaning. Where settings stand and who is stronger is said in internal/settings/sources.
//
// A bad value is never passed over in silence. Where it decides whom the client trusts (Setting.Critical) the setting is
// broken: the next source does not stand in for it, and Load says so in its error. Elsewhere the default holds and a
// warning names value, setting and origin.
package config
