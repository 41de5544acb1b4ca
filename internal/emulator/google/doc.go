// Package google emulates a Google Workspace customer, as far as Google documents it: the token endpoint for service accounts
// with domain-wide delegation, and of the Admin SDK's Directory API the users with custom schemas, groups, members,
// organisational units, and notification channels; and everything that goes wrong there. It is never part of a shipped
// program.
//
// README.md says what it does, what it does not do, and where the behaviour is documented.
package google
