// Package entra emulates Microsoft Entra ID for tests and for the demo: sign-in pages with password, MFA and account
// picker, tokens, keys and errors, as far as Microsoft documents them. Users, app registrations and policies come from
// a file. It is never part of a shipped program, and every page says that it is an emulator.
//
// README.md says what it does, what it does not do, and where the behaviour is documented.
package entra
