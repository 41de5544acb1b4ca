package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
)

func (a *app) backup() *cobra.Command {
	cmd := group("backup", "Back up a running server, check a backup, restore a stopped server")
	cmd.Long = cmd.Short + ".\n\nA backup has everything but the master key, without which the keys in it cannot be read. Keep a copy of DIR/master.key in another place."
	cmd.AddCommand(a.backupCreate(), a.backupVerify(), a.backupRestore())
	return cmd
}

func (a *app) backupCreate() *cobra.Command {
	return &cobra.Command{
		Use: "create FILE", Short: "Write a backup of the running server to FILE", Args: args("FILE"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if a.data == "" {
				return usage("say which server: --data DIR, or set PLATEN_DATA")
			}
			size, err := newFile(given[0], func(w io.Writer) error { return admin.NewClient(a.data).Backup(cmd.Context(), w) })
			if err != nil {
				return err
			}
			result := map[string]any{"file": given[0], "bytes": size}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "%s written, %d bytes. It needs the master key to be restored: keep a copy of %s in another place.\n",
					given[0], size, filepath.Join(a.data, "master.key"))
			})
		},
	}
}

// newFile writes a file that must not exist, whole or not at all.
func newFile(name string, write func(io.Writer) error) (int64, error) {
	if _, err := os.Lstat(name); err == nil {
		return 0, usage("%s exists already; choose another name", name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // 0600
	if err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	err = write(tmp)
	if err == nil {
		err = tmp.Sync()
	}
	info, statErr := tmp.Stat()
	err = errors.Join(err, statErr, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("write the backup %s: %w", name, err), os.Remove(tmp.Name()))
	}
	return info.Size(), nil
}

func (a *app) backupVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify FILE", Short: "Check that a backup is whole, and that the ledger in it adds up", Args: args("FILE"),
		Long: "Check that a backup is whole, and that the ledger in it adds up. With --data its signature is checked too, with the master key there.",
		RunE: func(cmd *cobra.Command, given []string) error {
			info, err := a.assembly.Verify(cmd.Context(), given[0], a.data)
			if err != nil {
				return err
			}
			return a.print(info, func(w io.Writer) { showBackup(w, "The backup is whole.", info) })
		},
	}
}

func (a *app) backupRestore() *cobra.Command {
	var masterKey, file string
	var yes bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Restore a backup into the data folder of a stopped server", Args: args("FILE"),
		Long: "Restore a backup into the data folder of a stopped server. A database that is there is kept beside the restored one.\n" +
			"The folder must have the master key, or --master-key names the copy that you kept.\n" +
			"Every session of the backup is ended, so everybody signs in again: what was signed out since would come back otherwise.",
		RunE: func(cmd *cobra.Command, given []string) error {
			if a.data == "" {
				return usage("say where to restore it: --data DIR, or set PLATEN_DATA")
			}
			if err := a.confirm(yes, fmt.Sprintf("Restore %s into %s?", given[0], a.data)); err != nil {
				return err
			}
			info, err := a.assembly.Restore(cmd.Context(), Restore{
				Data: a.data, File: given[0], MasterKey: masterKey, Sources: config.Sources{Getenv: a.Getenv, File: file},
			})
			if err != nil {
				return err
			}
			return a.print(info, func(w io.Writer) {
				showBackup(w, "Restored.", info)
				if info.SessionsEnded != nil {
					fmt.Fprintf(w, "All sessions of the backup (%d) were ended: everybody signs in again.\n", *info.SessionsEnded)
				}
			})
		},
	}
	cmd.Flags().StringVar(&masterKey, "master-key", "", "the copy of master.key that you kept")
	cmd.Flags().StringVar(&file, "config", a.Getenv("PLATEN_CONFIG"), "the configuration file, which says which database (PLATEN_CONFIG)")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func showBackup(w io.Writer, done string, b BackupInfo) {
	fmt.Fprintln(w, done)
	fields(w, [][2]string{
		{"Created", b.CreatedAt}, {"By version", b.Version}, {"Database", b.Database}, {"Master key", b.MasterKey}, {"Signed", b.Signed}, {"Ledger", b.Ledger},
	})
}
