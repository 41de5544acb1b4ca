package api

// Capabilities is the brief's comparison table (A2) computed from the configuration of this server.
type Capabilities struct {
	Posture CapabilityPosture  `json:"posture"`
	Columns []CapabilityColumn `json:"columns" nullable:"false"`
	Rows    []CapabilityRow    `json:"rows" nullable:"false"`
}

// CapabilityPosture names what the site chose between strict proof and everything that takes a password.
type CapabilityPosture struct {
	ID   string `json:"id" enum:"authentication compliance,ultimate compatibility,no second factor"`
	Note string `json:"note" doc:"What that means here, and what it costs."`
}

// CapabilityColumn is one way of having a directory.
type CapabilityColumn struct {
	ID      string `json:"id" enum:"O2,O3on,O3off"`
	Title   string `json:"title" example:"Entra ID, MFA on"`
	Posture string `json:"posture,omitempty" doc:"The posture that comes with it; empty where the sign-in methods decide."`
	Current bool   `json:"current" doc:"This server is configured like that."`
}

// CapabilityRow is one feature.
type CapabilityRow struct {
	ID      string           `json:"id" example:"A2-09"`
	Feature string           `json:"feature"`
	Cells   []CapabilityCell `json:"cells" nullable:"false" doc:"One for each column."`
}

// CapabilityAnswer is what a cell says.
type CapabilityAnswer string

// The answers.
const (
	CapabilityYes    CapabilityAnswer = "yes"
	CapabilityNo     CapabilityAnswer = "no"      // it could, but the configuration does not let it
	CapabilityNotYet CapabilityAnswer = "not yet" // the interface does not exist yet
)

// CapabilityCell is a feature in a column.
type CapabilityCell struct {
	Answer    CapabilityAnswer `json:"answer"`
	Reason    string           `json:"reason" doc:"Why, and what to do where it is no."`
	Way       string           `json:"way,omitempty" doc:"How people get in: trust, microsoft, browser, prompt."`
	Elsewhere string           `json:"elsewhere" doc:"What the comparison table of the brief says." example:"No"`
}
