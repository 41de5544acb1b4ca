// Package machine makes this computer a device of the print server, keeps it one, and vouches for the people who are logged
// on to it.
//
// A device is a key (ECDSA P-256, made here, never leaving the state folder, which only root or SYSTEM can read) and a
// certificate of the server's device CA. It gets the certificate by an enrolment token or by an administrator's approval,
// renews it after two thirds of its life, and reports itself every api.DeviceStateEvery. All of it, and what the server said
// last, is one file that is replaced as a whole. A computer that was cloned notices that it is another one (see Identity),
// throws the key away and asks to be enrolled anew.
//
// The server is known by the CA of the token's pin, or by the system's certificates. Nothing is ever sent over a connection
// whose certificate was not verified.
//
// An assertion says who asks, by the kernel's word; it is signed with the device's key over a nonce of the server's and turned
// by the server into a code that only the asking program can redeem.
package machine
