//go:build linux || darwin

package residents

// limited keeps the beginning of what is written.
type limited struct {
	text []byte
	most int
}

// Write implements io.Writer. It never fails.
func (l *limited) Write(p []byte) (int, error) {
	l.text = append(l.text, p[:min(len(p), l.most-len(l.text))]...)
	return len(p), nil
}
