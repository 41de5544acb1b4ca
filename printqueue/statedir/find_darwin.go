package statedir

// Find returns the folders of this computer. It makes none.
func Find() (Places, error) {
	const dir = "/Library/Application Support/Platen/sys"
	return Places{State: dir, Log: dir + "/log"}, nil
}
