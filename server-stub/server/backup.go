package server

import (
	"context"
	"errors"
	"io"

	"github.com/platenprint/platen/server-stub/cli"
)

// backup writes a whole backup of the running server.
func (s *server) backup(context.Context, io.Writer) error {
	return errors.New("backup is not there yet")
}

// VerifyBackup checks a backup file; data, if given, is a data folder with the master key.
func VerifyBackup(context.Context, string, string) (cli.BackupInfo, error) {
	return cli.BackupInfo{}, errors.New("backup is not there yet")
}

// Restore restores a backup into the data folder of a stopped server.
func Restore(context.Context, cli.Restore) (cli.BackupInfo, error) {
	return cli.BackupInfo{}, errors.New("backup is not there yet")
}
