// Package directories runs the server as a program against real and emulated directories, by the commands that an administrator
// types: from a bare server to people, through a wrong scope and the brake, and back by one command.
package directories
