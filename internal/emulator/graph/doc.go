// Package graph emulates the people of Microsoft Graph v1.0, as far as Microsoft documents them: /users with paging and
// $select, /users/delta, application permissions, and everything that goes wrong there. It is never part of a shipped
// program.
//
// README.md says what it does, what it does not do, and where the behaviour is documented.
package graph
