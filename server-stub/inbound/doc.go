// Package inbound is what every listener of the server has in front of its routes: limits of connections, one reading of a
// path, where a request comes from, its id, the headers of every answer, and what becomes of a handler that panics.
//
//	listener ─▶ Guard ─▶ Server ─▶ Front ─▶ Router: path read once, policy, handler
//
// It knows no routes and no people.
package inbound
