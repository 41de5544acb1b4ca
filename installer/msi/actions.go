package msi

// action runs the installed platen-deploy as SYSTEM. What happens with its exit code: it is in the log, and that is all.
type action struct {
	Name      string
	Arguments string // fixed: nothing that somebody could set gets into them (R-WIN-1)
	Execute   string // deferred, or rollback
	Sequence  int
	Condition string
}

// When the actions run. A product that is removed for its successor has UPGRADINGPRODUCTCODE; the successor has OLDERFOUND.
const (
	leaving   = `REMOVE ~= "ALL"`
	replacing = leaving + " OR REINSTALL"
	staying   = "NOT " + leaving
	again     = "OLDERFOUND OR REINSTALL"
	first     = "NOT Installed AND NOT OLDERFOUND"
)

// actions are in the order in which they run. Windows Installer stops the service at 1900, removes it at 2000 and the files at
// 3500; it copies files at 4000, makes the service at 5800 and starts it at 5900.
func actions() []action {
	forEver := leaving + " AND NOT UPGRADINGPRODUCTCODE AND NOT " + is(keepData, "1", "yes")
	return []action{
		{"RestartClientsAfterRollback", "clients restart", "rollback", 1870, replacing}, // undone last: the old files are back then
		{"PurgeClients", "clients purge", "deferred", 1880, forEver},
		{"StopClients", "clients stop", "deferred", 1890, replacing}, // or their programs could not be replaced without a restart of the computer
		{"PurgeComputer", "purge", "deferred", 1950, forEver},
		{"ConfigureService", "install", "deferred", 5850, staying}, // recovery, delayed start, quoted path
		{"RestartClients", "clients restart", "deferred", 5950, again},
		{"StartClients", "clients start", "deferred", 6550, first + " AND NOT " + is("AUTOSTART", "0", "no")}, // at last: nothing can fail any more
	}
}
