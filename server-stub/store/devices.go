package store

// Devices keeps enrolled machines, their enrolment tokens, nonces and one-use codes.
type Devices interface{}
