package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/printqueue/agent"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// How long enrol waits for the running service, and how often it asks. The service answers 30 questions a minute.
const (
	enrolTime = 45 * time.Second
	enrolPoll = 3 * time.Second
	maxToken  = 4 << 10
)

func newEnrol(p *program) *cobra.Command {
	var file, server, pin string
	c := p.privileged(&cobra.Command{
		Use: "enrol", Short: "Make this computer a device of the print server",
		Long: `Enrol makes this computer a device of the print server, by an enrolment token (platen-server enrolment create prints one) or,
with --server, by an administrator's approval (platen-server device approve).

The token comes from a file (--token-file; "-" is standard input) or is asked for. Without both, the file that an installer left is
used. It is never an argument: others could read it.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // not repeated: it may be a token
				return errors.New("enrol takes no argument; a token that was written there may have been read by others, so make a new one; " +
					"put it into a file (--token-file) or on standard input (--token-file -)")
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if server != "" && file != "" {
				return errors.New("--server and --token-file exclude each other: a token names its server")
			}
			if server == "" && pin != "" {
				return errors.New("--pin belongs to --server")
			}
			return p.enrol(c.Context(), file, server, pin)
		},
	})
	c.Flags().StringVar(&file, "token-file", "", `file with the token, "-" for standard input`)
	c.Flags().StringVar(&server, "server", "", "host:port of the server's device listener, to wait for approval instead of using a token")
	c.Flags().StringVar(&pin, "pin", "", "pin of the server's CA (sha256/...), with --server")
	return c
}

func (p *program) enrol(ctx context.Context, file, server, pin string) error {
	places, err := p.Places()
	if err != nil {
		return fail(err)
	}
	dir, err := private.Open(places.State)
	if err != nil {
		return fail(fmt.Errorf("enrol: %w", err))
	}
	defer func() { _ = dir.Close() }()
	text, err := p.token(dir, file, server, pin)
	if err != nil {
		return fail(fmt.Errorf("enrol: %w", err))
	}
	if _, err := machine.ParseToken(text.Reveal()); err != nil {
		return fail(fmt.Errorf("enrol: %w", err))
	}
	if err := dir.Write(statedir.TokenFile, []byte(text.Reveal())); err != nil {
		return fail(fmt.Errorf("enrol: %w", err))
	}
	free, err := dir.Lock()
	switch {
	case errors.Is(err, private.ErrBusy): // the service runs: it finds the token
		return p.awaitService(ctx, dir)
	case err != nil:
		return fail(fmt.Errorf("enrol: %w", err))
	}
	defer free()
	return p.enrolHere(ctx, dir, places)
}

// token finds the token's text.
func (p *program) token(dir *private.Dir, file, server, pin string) (secret.String, error) {
	switch {
	case server != "":
		return secret.New(server + "~" + pin + "~"), nil
	case file == "-":
		return readToken(p.Stdin)
	case file != "":
		info, err := os.Stat(file)
		if err != nil {
			return secret.String{}, fmt.Errorf("read the token: %w", err)
		}
		if !info.Mode().IsRegular() {
			return secret.String{}, fmt.Errorf("read the token: %s is no plain file", file)
		}
		f, err := os.Open(file)
		if err != nil {
			return secret.String{}, fmt.Errorf("read the token: %w", err)
		}
		defer func() { _ = f.Close() }()
		return readToken(f)
	}
	text, err := dir.Read(statedir.TokenFile)
	if err == nil {
		return secret.New(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return secret.String{}, err
	}
	if p.ReadPassword == nil {
		return secret.String{}, errors.New(`there is no token: name a file with --token-file, or give it on standard input with --token-file -`)
	}
	fmt.Fprint(p.Stderr, "Enrolment token (it is not shown): ")
	line, err := p.ReadPassword()
	fmt.Fprintln(p.Stderr)
	if err != nil {
		return secret.String{}, fmt.Errorf("read the token: %w", err)
	}
	return secret.New(line), nil
}

func readToken(r io.Reader) (secret.String, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxToken))
	if err != nil {
		return secret.String{}, fmt.Errorf("read the token: %w", err)
	}
	return secret.New(strings.TrimSpace(string(text))), nil
}

// enrolHere enrols without the service, which does not run. It asks once.
func (p *program) enrolHere(ctx context.Context, dir *private.Dir, places statedir.Places) error {
	opts := agent.Options{Places: places, Place: p.Place, Clock: p.Clock}
	if p.Agent != nil {
		p.Agent(&opts)
	}
	m, err := agent.NewMachine(ctx, dir, opts, slog.New(slog.DiscardHandler))
	if err == nil {
		err = m.Once(ctx)
	}
	if err == nil && m.Status().Enrolled {
		err = m.Once(ctx) // the first report, for the group's settings
	}
	if err != nil {
		return fail(err)
	}
	return p.enrolled(m.Status(), "; the service does not run: platen-deploy start")
}

// awaitService waits until the service has used the token.
func (p *program) awaitService(ctx context.Context, dir *private.Dir) error {
	ctx, cancel := context.WithTimeout(ctx, enrolTime)
	defer cancel()
	for {
		select { // first of all: what the service says now is about something older
		case <-ctx.Done():
		case <-time.After(p.poll()):
		}
		_, err := dir.Read(statedir.TokenFile)
		used := errors.Is(err, fs.ErrNotExist)
		var status ipc.Status
		client, err := ipc.DialAt(ctx, p.Place)
		if err == nil {
			status, err = client.Status(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return fail(ipc.Fail(ipc.CodeUnreachable, "enrol: the service has not done it yet and goes on trying; platen-deploy status says how it stands", ctx.Err()))
		case err != nil && ipc.CodeOf(err) != ipc.CodeLimited:
			return fail(fmt.Errorf("enrol: the service has the token, but does not answer: %w", err))
		case err == nil && status.Problem != "" && (used || retried(status.Problem)):
			return fail(ipc.Fail(status.Problem, status.Detail, nil))
		case err == nil && used:
			return p.enrolled(status, "")
		}
	}
}

func (p *program) poll() time.Duration {
	if p.Poll > 0 {
		return p.Poll
	}
	return enrolPoll
}

// retried tells that the service keeps the token and tries again, but that somebody has to do something first.
func retried(code ipc.Code) bool {
	return code == ipc.CodeCertificate || code == ipc.CodeUnreachable || code == ipc.CodeClock || code == ipc.CodeLimited || code == ipc.CodeInternal
}

// enrolled writes how it went.
func (p *program) enrolled(s ipc.Status, hint string) error {
	if p.json {
		p.write(s)
	} else {
		fmt.Fprintln(p.Stdout, strings.TrimSuffix(sentence(s), ".")+hint+".")
		if s.Fingerprint != "" {
			fmt.Fprintln(p.Stdout, "fingerprint:", s.Fingerprint)
		}
	}
	if !s.Enrolled && s.Enrolment != ipc.EnrolmentPending {
		return &failure{code: exitNotEnrolled, said: true}
	}
	return nil
}

func newForget(p *program) *cobra.Command {
	return p.privileged(&cobra.Command{
		Use: "forget", Short: "Throw the enrolment away (key and certificate); the service must be stopped", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := p.forget(); err != nil {
				return fail(fmt.Errorf("forget the enrolment: %w", err))
			}
			p.done("forgotten; on the server: platen-server device forget")
			return nil
		},
	})
}

func (p *program) forget() error {
	places, err := p.Places()
	if err != nil {
		return err
	}
	dir, err := private.Open(places.State)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	free, err := dir.Lock()
	if errors.Is(err, private.ErrBusy) {
		return errors.New("the service works with it; stop it first (platen-deploy stop)")
	}
	if err != nil {
		return err
	}
	defer free()
	return errors.Join(dir.Remove(statedir.TokenFile), dir.Remove(statedir.DeviceFile))
}
