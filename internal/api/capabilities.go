package api

// Capabilities is the brief's comparison table (A2) computed from the configuration of this server.
type Capabilities struct {
	Columns []CapabilityColumn `json:"columns" nullable:"false"`
	Rows    []CapabilityRow    `json:"rows" nullable:"false"`
}

// CapabilityColumn is one way of having a directory.
type CapabilityColumn struct {
	ID      string `json:"id" enum:"O2,O3on,O3off"`
	Title   string `json:"title" example:"Entra ID, MFA on"`
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
