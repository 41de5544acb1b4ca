package doctor

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/platenprint/platen/client/status"
)

// LogFile is a log of which the end goes into the bundle. A file that is not there is left out.
type LogFile struct {
	Name string // in the bundle: "platen.log", "crash.log"
	Path string
}

// Support is what goes into a support file beside the report.
type Support struct {
	Report   Report
	Settings []status.Setting
	Versions map[string]string // by program or system: "server": "1.0.0"
	Logs     []LogFile
	Private  Private
}

// maxLog is how much of the end of a log is taken, in bytes.
const maxLog = 256 << 10

// Bundle writes the support file: a zip with the report, the settings with their origins, the versions and the ends of the
// logs, all redacted, and a note for the person who is going to send it away.
func Bundle(w io.Writer, s Support) error {
	archive := zip.NewWriter(w)
	b := bundle{archive, newRedactor(s.Private), s.Report}
	err := errors.Join(b.note(), b.report(), b.settings(s.Settings), b.json("versions.json", s.Versions))
	for _, log := range s.Logs {
		err = errors.Join(err, b.log(log))
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		return fmt.Errorf("write the support file: %w", err)
	}
	return nil
}

type bundle struct {
	archive *zip.Writer
	redact  redactor
	found   Report
}

// file writes a text that is redacted already.
func (b bundle) file(name, text string) error {
	f, err := b.archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.found.At})
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return err
}

func (b bundle) json(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return b.file(name, string(text)+"\n")
}

const note = `This file was made by "platen doctor --bundle" for the people who look after printing.

report.txt, report.json   what was checked and found
settings.json             every setting and where it comes from
versions.json             versions of the programs
*.log                     the ends of the logs, where there are any

Names of the person logged on, mail addresses, home folders, passwords and tokens were taken out and replaced by <name>,
<address>, ~, <secret> and <token>. Names of servers and files remain. It is text: look at it before you send it.
`

func (b bundle) note() error { return b.file("README.txt", note) }

func (b bundle) report() error {
	report := b.redact.report(b.found)
	var text bytes.Buffer
	if err := report.Write(&text, true); err != nil {
		return err
	}
	return errors.Join(b.file("report.txt", text.String()), b.json("report.json", report))
}

func (b bundle) settings(settings []status.Setting) error {
	list := make([]status.Setting, len(settings))
	for i, s := range settings {
		list[i] = status.Setting{Name: s.Name, Value: b.redact.text(s.Value), Origin: b.redact.text(s.Origin)}
	}
	return b.json("settings.json", list)
}

func (b bundle) log(log LogFile) error {
	text, err := tail(log.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return b.file(log.Name, "This log could not be read: "+b.redact.text(err.Error())+"\n")
	}
	return b.file(log.Name, b.redact.text(text))
}

// tail returns the last whole lines of a file.
func tail(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	cut := info.Size() > maxLog
	if cut {
		if _, err := f.Seek(-maxLog, io.SeekEnd); err != nil {
			return "", err
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLog))
	if err != nil {
		return "", err
	}
	if cut {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		text = append([]byte("(earlier lines are left out)\n"), rest...)
	}
	return strings.ToValidUTF8(string(text), "?"), nil
}
