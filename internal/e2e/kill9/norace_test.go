//go:build !race

package kill9

// normalCycles is how often the ledger is killed in a normal test run.
const normalCycles = 200
