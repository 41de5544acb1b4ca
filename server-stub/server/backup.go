package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/backup"
	"github.com/platenprint/platen/server-stub/cli"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// keptFiles are the files of the data folder that a backup has, with their permissions.
var keptFiles = []struct {
	name string
	perm fs.FileMode
}{
	{datadir.CACert, 0o444},
	{datadir.CAKey, 0o400},
	{datadir.ServerCert, 0o444},
	{datadir.ServerKey, 0o400},
	{datadir.DeviceCACert, 0o444},
	{datadir.DeviceCAKey, 0o400},
}

func keptNames() []string {
	var names []string
	for _, f := range keptFiles {
		names = append(names, f.name)
	}
	return names
}

// backup writes a whole backup of the running server.
func (s *server) backup(ctx context.Context, w io.Writer) error {
	var files []backup.File
	for _, f := range keptFiles {
		contents, err := s.dir.Read(f.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the administrator gives the certificate
		}
		if err != nil {
			return fmt.Errorf("back up %s: %w", f.name, err)
		}
		files = append(files, backup.File{Name: f.name, Contents: contents})
	}
	info := backup.Info{CreatedAt: s.now(), Version: buildinfo.Version, Database: string(databaseConfig(s.cfg, s.dir, s.logger).Driver)}
	return backup.Write(w, s.keys, info, files, func(w io.Writer) error { return s.db.Backup(ctx, w) })
}

// VerifyBackup checks that a backup file is whole and that the ledger in it adds up: it is restored into a folder that
// is removed again. The signature is checked when data is a data folder with the master key.
func VerifyBackup(ctx context.Context, file, data string) (cli.BackupInfo, error) {
	var k *keys.Keys
	signed := "not checked: say --data DIR of the server it belongs to"
	if data != "" {
		dir, err := datadir.OpenExisting(data)
		if err != nil {
			return cli.BackupInfo{}, err
		}
		defer dir.Close()
		if k, err = keys.Load(dir); err != nil {
			return cli.BackupInfo{}, err
		}
		signed = "yes"
	}
	contents, err := readBackup(file, k, discard)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	scratch, err := os.MkdirTemp("", "platen-verify-*")
	if err != nil {
		return cli.BackupInfo{}, fmt.Errorf("look into the backup: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	c := sqlstore.Config{Driver: sqlstore.SQLite, Path: filepath.Join(scratch, datadir.Database)}
	report, err := load(ctx, file, k, c, nil)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	return backupInfo(contents, signed, report), nil
}

// Restore puts a backup into the data folder of a stopped server, or into a new one. The database that is there is kept
// beside the restored one. Nothing is changed unless the backup is whole, belongs to the master key and its ledger adds up.
func Restore(ctx context.Context, r cli.Restore) (cli.BackupInfo, error) {
	cfg, err := config.Load(r.Sources)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	dir, err := datadir.Open(r.Data)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	defer dir.Close()
	if err := dir.Lock(); err != nil {
		return cli.BackupInfo{}, err
	}
	k, keep, err := restoringKey(dir, r.MasterKey)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	contents, err := readBackup(r.File, k, discard)
	if err != nil {
		return cli.BackupInfo{}, err
	}
	ended := 0
	report, err := restoreDatabase(ctx, cfg, dir, r.File, k, func(ctx context.Context, tx sqlstore.Amendable) (err error) {
		ended, err = endSessions(ctx, tx, clock.System())
		return err
	})
	if err != nil {
		return cli.BackupInfo{}, err
	}
	if keep {
		if err := k.Store(dir); err != nil {
			return cli.BackupInfo{}, err
		}
	}
	for _, f := range keptFiles {
		for _, have := range contents.Files {
			if have.Name != f.name {
				continue
			}
			if err := dir.Write(f.name, have.Contents, f.perm); err != nil {
				return cli.BackupInfo{}, err
			}
		}
	}
	result := backupInfo(contents, "yes", report)
	result.SessionsEnded = &ended
	return result, nil
}

// endSessions ends every session of a backup: what was signed out, or found to have a copy, since the backup was made would
// come back with it.
func endSessions(ctx context.Context, tx sqlstore.Amendable, now time.Time) (int, error) {
	n, err := tx.RevokeAllSessions(ctx, now)
	if err != nil {
		return 0, err
	}
	return n, tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: "admin", Action: "backup.restore", Detail: fmt.Sprintf("%d sessions ended", n)})
}

// restoringKey returns the master key to restore with, and whether it must still be stored in the folder.
func restoringKey(dir *datadir.Dir, file string) (k *keys.Keys, keep bool, err error) {
	there, err := keys.Load(dir)
	if err != nil && !errors.Is(err, keys.ErrSealed) {
		return nil, false, err
	}
	if file == "" {
		if there == nil {
			return nil, false, fmt.Errorf("%w: name the copy that you kept with --master-key FILE", keys.ErrSealed)
		}
		return there, false, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, false, fmt.Errorf("read the master key: %w", err)
	}
	given, err := keys.Parse(text)
	if err != nil {
		return nil, false, fmt.Errorf("read the master key %s: %w", file, err)
	}
	if there != nil && there.ID() != given.ID() {
		return nil, false, fmt.Errorf("%w: %s has another master key than %s; restore into an empty folder", core.ErrConflict, dir.Path(), file)
	}
	return given, there == nil, nil
}

// restoreDatabase restores beside the database that is there, and then changes places.
func restoreDatabase(ctx context.Context, cfg *config.Config, dir *datadir.Dir, file string, k *keys.Keys, amend sqlstore.Amend) (ledger.Report, error) {
	c := databaseConfig(cfg, dir, slog.New(slog.DiscardHandler))
	if c.Driver != sqlstore.SQLite {
		return load(ctx, file, k, c, amend)
	}
	const next = datadir.Database + ".restored"
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := dir.Remove(next + ending); err != nil { // of a restore that was cut short
			return ledger.Report{}, err
		}
	}
	c.Path = dir.File(next)
	report, err := load(ctx, file, k, c, amend)
	if err != nil {
		return report, err
	}
	old := datadir.Database + ".before-" + clock.System().Format("20060102T150405.000000Z")
	for _, ending := range []string{"-wal", "-shm", ""} {
		err := os.Rename(dir.File(datadir.Database+ending), dir.File(old+ending))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return report, fmt.Errorf("put the old database aside: %w", err)
		}
	}
	if err := os.Rename(dir.File(next), dir.File(datadir.Database)); err != nil {
		return report, fmt.Errorf("put the restored database in its place: %w; it is %s", err, dir.File(next))
	}
	return report, nil
}

// load restores the database of a backup file into c, amended, if its ledger adds up.
func load(ctx context.Context, file string, k *keys.Keys, c sqlstore.Config, amend sqlstore.Amend) (report ledger.Report, err error) {
	verify := func(ctx context.Context, s store.Store) error {
		if report, err = ledger.Verify(ctx, s, nil); err != nil {
			return err
		}
		if !report.OK() {
			return fmt.Errorf("%w: in the backup %s", core.ErrConflict, report)
		}
		return nil
	}
	_, err = readBackup(file, k, func(r io.Reader) error { return sqlstore.Restore(ctx, c, r, amend, verify) })
	return report, err
}

func readBackup(file string, k *keys.Keys, database func(io.Reader) error) (backup.Contents, error) {
	f, err := os.Open(file)
	if err != nil {
		return backup.Contents{}, fmt.Errorf("read the backup: %w", err)
	}
	defer f.Close()
	contents, err := backup.Read(f, k, keptNames(), database)
	if errors.Is(err, backup.ErrForged) {
		return backup.Contents{}, fmt.Errorf("read the backup %s: %w: it belongs to key %s, this is %s", file, err, contents.Info.MasterKey, k.ID())
	}
	if err != nil {
		return backup.Contents{}, fmt.Errorf("read the backup %s: %w", file, err)
	}
	return contents, nil
}

func discard(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func backupInfo(c backup.Contents, signed string, report ledger.Report) cli.BackupInfo {
	return cli.BackupInfo{
		CreatedAt: c.Info.CreatedAt.UTC().Format(time.RFC3339), Version: c.Info.Version, Database: c.Info.Database, MasterKey: c.Info.MasterKey,
		Bytes: c.Database, Signed: signed, Ledger: report.String(),
	}
}
