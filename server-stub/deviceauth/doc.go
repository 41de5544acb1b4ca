// Package deviceauth decides which machines are devices of this server, and whom they may vouch for (SECURITY.md C3, T1).
//
//	enrolment   a machine makes a key and asks with an enrolment token, or waits for an administrator who compares
//	            the key's fingerprint. It gets a certificate of the device CA (package pki), 90 days, renewed from
//	            two thirds on. Asking again with the same key and machine is safe: a lost reply costs nothing.
//	assertion   the machine's privileged service signs who is logged on, with a nonce of ours, and gets a one-use
//	            code (package codes) for the resident that asked. Whose name it is says package names.
//
// What is proven is the machine. What it says of its people counts as far as its group of the configuration lets it: whom, how
// many a day, from where. Whoever is root on it can lie within that. Everything unclear is refused with one answer, so that a
// device does not learn which names exist; the audit log has the reason.
//
// A clone (its machine id is another than the enrolled one) is unknown and must enrol anew with a key of its own. A machine that
// was installed anew (the hardware is the same) takes over its record, and the old certificate dies. Revoking a device ends the
// sessions it vouched for.
package deviceauth
