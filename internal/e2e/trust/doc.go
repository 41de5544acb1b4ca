// Package trust runs sign-in by an enrolled computer with the real server and the real service: enrolment by token and by
// approval, two users of one computer by their real user ids, redeeming, revocation.
package trust
