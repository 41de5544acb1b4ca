package private

// adminGroup is the highest group id that no person is in without being an administrator: wheel, and daemon, which some
// folders of macOS belong to.
const adminGroup = 1
