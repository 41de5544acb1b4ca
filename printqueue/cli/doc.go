// Package cli is the command line of platen-deploy. Commands that change the computer need root or an administrator, and say so;
// status is everybody's. An enrolment token comes from a file, from standard input or from a prompt, never as an argument and
// never from the environment, where others can read it.
//
// Exit codes: 0 done, 1 it failed, 2 wrong arguments, 3 the service is not running, 4 the computer is not enrolled, or the server
// refused, 5 the server cannot be reached, 6 administrators only.
package cli
