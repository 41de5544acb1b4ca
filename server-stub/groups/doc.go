// Package groups answers questions about the groups that directories list: which groups somebody is in, who is in a group, and
// why. It only reads; dirsync keeps the groups.
//
// A directory lists direct members, people and groups alike. Membership here is transitive: whoever is in a group that is in
// another one is in both. Groups may contain each other in circles, as Active Directory allows; nothing here goes round twice.
//
// Edges are between ids of one directory, so a group of one directory has no members of another, and a person is in the groups
// of every directory that knows them.
package groups
