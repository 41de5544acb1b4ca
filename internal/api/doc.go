// Package api is the wire contract between Platen's programs and its server: paths, types, limits and error codes of
// /api/v1. Client and server meet here and nowhere else, so it imports nothing but the standard library.
//
// Money is a decimal string with a dot ("12.34"), times are RFC 3339 in UTC, ids are opaque strings. The server's
// OpenAPI document (/api/openapi.json) is generated from these types and kept as a golden file.
package api
