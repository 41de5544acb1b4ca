//go:build race

package kill9

// normalCycles is smaller under the race detector, which makes the child start slowly: the full number is run without.
const normalCycles = 30
