// Package capabilities goes, for each cell of the comparison table that says yes, all the way through the real programs: the
// server, the resident, a directory, an emulated tenant of Entra ID and a browser. Each cell has a test of its name, such as
// A2_09_O3on; a yes without a test fails, and so does a test for a cell that does not say yes.
package capabilities
