package capabilities

// row is one feature. elsewhere is what the comparison of the requirements says, word by word, in the order of columns.
type row struct {
	id, feature string
	elsewhere   [len(columns)]string
	answer      func(view) cell
}

// waits is a row about a part of Platen that is not there: no column makes a difference.
func waits(reason string) func(view) cell {
	return func(view) cell { return notYet(reason) }
}

const (
	noPanel   = "Platen does not reach the panels of copiers yet: this waits for its device interface."
	noRelease = "There is no release station yet: this waits for print release."
	noBYOD    = "People's own devices cannot print yet: this waits for Platen's printing for them."
)

var rows = []row{
	{"A2-01", "Synchronize users and groups to the database", [...]string{"Yes (MailNickName)", "Yes (UPN)", "Yes (UPN)"}, synchronise}, //nolint:misspell // the name that administrators know it by
	{"A2-02", "MFD/copier swipe-card authentication", [...]string{"Yes", "Yes", "Yes"}, waits(noPanel)},
	{"A2-03", "MFD/copier swipe-card self-association", [...]string{"Yes", "Yes (23.0.8+, needs notification on)", "Yes"}, waits(noPanel)},
	{"A2-04", "MFD/copier username/password authentication", [...]string{"Yes", "No", "Yes"}, waits(noPanel)},
	{"A2-05", "User or Admin web interface username/password", [...]string{"Yes", "Yes", "Yes"}, pagesByPassword},
	{"A2-06", `"Sign On with Microsoft" on Admin/User web`, [...]string{"Yes", "Yes", "Yes"}, pagesByMicrosoft},
	{"A2-07", "Mobile Web Client username/password", [...]string{"Yes", "Yes", "Yes"}, waits("There are no pages for releasing jobs by phone yet: this waits for print release.")},
	{"A2-08", "User Client username/password", [...]string{"Yes", "Yes (23.0.3+)", "Yes"}, clientByPassword},
	{"A2-09", `"Sign On with Microsoft" on the User Client`, [...]string{"No", "No", "No"}, clientByMicrosoft},
	{"A2-10", "Release Station swipe card", [...]string{"Yes", "Yes", "Yes"}, waits(noRelease)},
	{"A2-11", "Release Station username/password", [...]string{"Yes", "No", "Yes"}, waits(noRelease)},
	{"A2-12", "Print Deploy User Client username/password", [...]string{"Yes", "No", "Yes"}, queuesByPassword},
	{"A2-13", `"Sign On with Microsoft" on Print Deploy client`, [...]string{"No", "Yes", "Yes"}, queuesByMicrosoft},
	{"A2-14", "Mobility Print client username/password", [...]string{"Yes", "No", "Yes"}, waits(noBYOD)},
	{"A2-15", "Mobility Print Web Admin username/password", [...]string{"Yes", "No", "Yes"}, waits(noBYOD)},
	{"A2-16", `"Sign On with Microsoft" on Mobility Print client`, [...]string{"No", "No", "No"}, waits(noBYOD)},
	{"A2-17", "Cost", [...]string{"Microsoft fee (AD DS)", "Free", "Free"}, cost},
	{"A2-18", "Username", [...]string{"sAMAccountName / MailNickName", "UPN", "UPN"}, username},
	{"A2-19", "2FA/MFA through the sync source", [...]string{"No", "Yes", "No"}, secondFactor},
	{"A2-20", "Card numbers sync", [...]string{"Yes", "Yes", "Yes (note 4)"}, cards},
	{"A2-21", "User aliases sync", [...]string{"Yes", "Yes", "Yes (22.0.9+)"}, aliases},
	{"A2-22", "Users in nested groups", [...]string{"No", "No", "No"}, nested},
}
