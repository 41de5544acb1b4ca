// Package admin is how commands reach the running server: a Unix socket in its data folder, on Windows a named pipe named
// after the folder. Only the server's own user and root (Windows: SYSTEM and administrators) get through; the kernel says
// who calls, nothing the caller sends. There is no network way in.
//
// A call is one HTTP request, POST /v1/VERB, with a JSON body. The answer is lines of JSON: any number of
// {"progress": ...}, then one {"result": ...} or {"error": {"kind", "message"}}. An answer without the last line was cut
// short. backup.create answers with the backup itself and a trailer that says whether it is whole.
package admin
