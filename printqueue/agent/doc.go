// Package agent is the assembly of the privileged service: the device of printqueue/machine, the line of printqueue/ipc, and
// between them the one decision that is made here: who asks. That is found out from the kernel and the system's directories
// alone; nothing that the asking program says, and nothing of its environment, counts.
package agent
