// Package httpapi serves /api/v1 (the contract of internal/api), the probes and the metrics. It turns HTTP into calls of
// the use cases and their errors into problem details; it decides nothing about people or money.
//
// A request passes, from the outside in:
//
//	outer      request id, security headers, recovery from panics, log and metrics
//	authorize  one look at the path, which must be clean; the route's policy; who is asking (R-AUTHZ-1)
//	mux        the route itself: net/http's, so that policy and routing can never see two different paths
//	operation  huma: strict JSON in, checked against the schema that the OpenAPI document shows; JSON out
//
// Every route is in routes() with its policy, and what is not there does not exist: there is no way to add a handler
// without saying who may call it (R-ROUTE-1; testdata/routes.golden has the whole matrix).
//
// Of huma's habits these are switched off: its pages and schema links, its error bodies (they echo what was sent, a
// mistyped sign-in would come back with the password), its acceptance of keys that stand twice.
package httpapi
