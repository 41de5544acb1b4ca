//go:build !windows && !darwin

package config

func native(*Machine) error { return nil }
