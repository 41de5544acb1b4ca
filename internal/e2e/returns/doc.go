// Package returns runs the programs with somebody who leaves the directory and comes back, which must need nothing of them.
package returns
