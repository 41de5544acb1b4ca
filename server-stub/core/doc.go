// Package core has the words of the server: users and their names, money, sessions, and the kinds of errors. It is pure
// (no I/O, no clock) and knows no database, no HTTP and no directory product.
package core
