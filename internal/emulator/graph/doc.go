// Package graph emulates the people and groups of Microsoft Graph v1.0, as far as Microsoft documents them: lists with paging and
// $select, what changed (/users/delta, /groups/delta), batches, application permissions, and everything that goes wrong there.
// It is never part of a shipped program.
//
// README.md says what it does, what it does not do, and where the behaviour is documented.
package graph
