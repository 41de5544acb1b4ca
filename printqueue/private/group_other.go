//go:build unix && !darwin

package private

// adminGroup is the highest group id that no person is in without being an administrator: root.
const adminGroup = 0
