package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
)

// made is what a build has made.
type made struct {
	Version string     `json:"version"`
	Time    string     `json:"time"` // what everything is dated with
	Folder  string     `json:"folder"`
	Files   []artefact `json:"files"`
	Notes   []string   `json:"notes,omitempty"` // what somebody who wants to give it away should know
}

// artefact is a file of the release.
type artefact struct {
	File   string `json:"file"` // in made.Folder
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func summary(w io.Writer, m made, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	}
	fmt.Fprintf(w, "\nPlaten %s, dated %s, in %s\n", m.Version, m.Time, filepath.ToSlash(m.Folder))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, f := range m.Files {
		fmt.Fprintf(t, "%.1f MB\t%s\t  %s\n", float64(f.Bytes)/1e6, f.SHA256[:16], f.File)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, note := range m.Notes {
		fmt.Fprintln(w, "Note:", note)
	}
	return nil
}
