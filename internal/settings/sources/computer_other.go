//go:build !windows && !darwin

package sources

func native(*Computer) error { return nil }

func userName() string { return "" }
