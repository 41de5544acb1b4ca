package api

import "time"

// ClientConfig is what a client may know before sign-in. It says nothing about any person.
type ClientConfig struct {
	Organisation string           `json:"organisation" doc:"What the site calls itself, for the windows' headings. May be empty." example:"Example University"`
	AuthModes    []string         `json:"auth_modes" nullable:"false" doc:"The sign-in methods this server offers, best first." example:"[\"trust\",\"microsoft\",\"prompt\"]"`
	Microsoft    *MicrosoftConfig `json:"microsoft,omitempty" doc:"What Sign in with Microsoft needs, where it is offered."`
	Browser      *BrowserConfig   `json:"browser,omitempty" doc:"What signing in by the browser needs, where it is offered."`
	Currency     string           `json:"currency" doc:"ISO 4217 code." example:"EUR"`
	UPNSuffix    string           `json:"upn_suffix,omitempty" doc:"The suffix rules clients use when their own configuration has none." example:"example.org"`
	PortalURL    string           `json:"portal_url,omitempty" doc:"Where people look after their account in a browser, if there is such a place."`
	TopUpURL     string           `json:"top_up_url,omitempty" doc:"Where people buy credit, if there is such a place."`
	LowBalance   string           `json:"low_balance,omitempty" doc:"Below this amount the balance counts as low." example:"2.00"`
	HelpText     string           `json:"help_text,omitempty" doc:"Whom to ask, in the site's words." example:"IT desk, room 101, tel. 4444"`
	ServerTime   time.Time        `json:"server_time" doc:"The server's clock, so that clients notice a wrong one."`
	Version      string           `json:"version" doc:"The server's version."`
}

// OSAccount is what the client's operating system says about the person logged on. Before sign-in it proves nothing; the
// server records it and, after proof, may link the short name to the account.
type OSAccount struct {
	Kind     string `json:"kind,omitempty" maxLength:"32" doc:"local, domain, azuread, or empty for unknown." example:"domain"`
	Domain   string `json:"domain,omitempty" maxLength:"255" example:"CORP"`
	Name     string `json:"name,omitempty" maxLength:"255" example:"alex.test"`
	UPN      string `json:"upn,omitempty" maxLength:"320"`
	SID      string `json:"sid,omitempty" maxLength:"184"`
	Hostname string `json:"hostname,omitempty" maxLength:"255"`
	// The domain the computer is a member of, by its NetBIOS and its DNS name.
	JoinDomain string `json:"join_domain,omitempty" maxLength:"255"`
	JoinRealm  string `json:"join_realm,omitempty" maxLength:"255"`
}

// SignIn asks for a session by account and password.
type SignIn struct {
	Username     string    `json:"username" minLength:"1" maxLength:"320" example:"alex.test@example.org"`
	Password     string    `json:"password" minLength:"1" maxLength:"256" doc:"Never logged, stored or echoed."`
	StaySignedIn bool      `json:"stay_signed_in,omitempty"`
	Shared       bool      `json:"shared_computer,omitempty" doc:"Many people use the computer: its account says nothing about who this is."`
	Client       string    `json:"client,omitempty" maxLength:"128" example:"platen 1.0.0 (linux)"`
	OSAccount    OSAccount `json:"os_account,omitempty"`
}

// Refresh asks for new tokens. The old refresh token is used up by it.
type Refresh struct {
	RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"256"`
}

// Session is a signed-in session's tokens, and whose it is.
type Session struct {
	AccessToken    string    `json:"access_token" doc:"For the header Authorization: Bearer."`
	AccessExpires  time.Time `json:"access_expires"`
	RefreshToken   string    `json:"refresh_token"`
	RefreshExpires time.Time `json:"refresh_expires"`
	User           User      `json:"user"`
	LinkedName     string    `json:"linked_name,omitempty" doc:"The computer's short name, when this sign-in linked it to the account."`
}

// User is a person, as they see themselves.
type User struct {
	ID          string `json:"id"`
	Username    string `json:"username" example:"alex.test@example.org"`
	DisplayName string `json:"display_name" example:"Alex Test"`
	Email       string `json:"email,omitempty"`
}

// Me is the person signed in, with their balance.
type Me struct {
	User    User    `json:"user"`
	Balance Balance `json:"balance"`
}

// Balance is what somebody has.
type Balance struct {
	Amount    string    `json:"amount" doc:"Decimal with a dot." example:"12.34"`
	Available string    `json:"available" doc:"What can be spent: less what is held for waiting jobs, plus the overdraft." example:"12.34"`
	Currency  string    `json:"currency" example:"EUR"`
	Version   int64     `json:"version" doc:"Grows with every change; of two balances the one with the greater version is newer."`
	At        time.Time `json:"at" doc:"The server's time of this reading."`
}

// Transaction is one line of the account statement.
type Transaction struct {
	ID      int64     `json:"id" doc:"Also the cursor for the next page (before=)."`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind" enum:"credit,debit,charge,refund"`
	Amount  string    `json:"amount" example:"-0.05"`
	Balance string    `json:"balance" doc:"After this line." example:"12.29"`
	Note    string    `json:"note,omitempty"`
}

// TransactionList is a page of the statement, newest first.
type TransactionList struct {
	Transactions []Transaction `json:"transactions" nullable:"false"`
	More         bool          `json:"more"`
}

// BalancePoint is the balance at the end of one day (UTC).
type BalancePoint struct {
	Date   string `json:"date" format:"date" example:"2026-11-21"`
	Amount string `json:"amount"`
}

// BalanceHistory is one point a day, oldest first, the last one today.
type BalanceHistory struct {
	Currency string         `json:"currency"`
	Points   []BalancePoint `json:"points" nullable:"false"`
}

// SessionInfo is one of the person's own sessions.
type SessionInfo struct {
	ID         string    `json:"id"`
	Client     string    `json:"client,omitempty"`
	Host       string    `json:"host,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	Current    bool      `json:"current"`
}

// SessionList lists the person's sessions, newest first.
type SessionList struct {
	Sessions []SessionInfo `json:"sessions" nullable:"false"`
}
