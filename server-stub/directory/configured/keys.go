package configured

// key is a key of the configuration that not all types have.
type key struct {
	name  string
	set   bool
	types []string
}

// keys lists them. UPNAsUsername has no effect on sources but ldap, nor UpdateCardID on sources but entra; they are let pass, as they
// may come from a migrated configuration.
func (c Config) keys() []key {
	csv, ldap, entra, servers := []string{TypeCSV}, []string{TypeLDAP}, []string{TypeEntra}, []string{TypeLDAP, TypeEntra, TypeGoogle}
	google, clouds := []string{TypeGoogle}, []string{TypeEntra, TypeGoogle}
	read := []string{TypeCSV, TypeLDAP, TypeEntra, TypeGoogle} // those that are read, and do not send
	return []key{
		{"auto_create", c.AutoCreate != nil, []string{TypeSCIM}},
		{"auto_update", c.AutoUpdate != nil, []string{TypeSCIM}},
		{"interval", c.Interval != 0, read},
		{"manual", c.Manual, read},
		{"path", c.Path != "", csv},
		{"url", len(c.URL) > 0, ldap},
		{"start_tls", c.StartTLS, ldap},
		{"ca_file", c.CAFile != "", servers},
		{"server_name", c.ServerName != "", ldap},
		{"bind_dn", c.BindDN != "", ldap},
		{"bind_password_file", c.BindPasswordFile != "", ldap},
		{"base_dn", c.BaseDN != "", ldap},
		{"filter", c.Filter != "", ldap},
		{"product", c.Product != "", ldap},
		{"attributes", len(c.Attributes) > 0, ldap},
		{"group_base_dn", c.GroupBaseDN != "", ldap},
		{"group_filter", c.GroupFilter != "", ldap},
		{"incremental", c.Incremental != "", ldap},
		{"page_size", c.PageSize != 0, servers},
		{"timeout", c.Timeout != 0, ldap},
		{"page_timeout", c.PageTimeout != 0, ldap},
		{"tenant", c.Tenant != "", entra},
		{"client_id", c.ClientID != "", entra},
		{"client_secret_file", c.ClientSecretFile != "", entra},
		{"client_certificate_file", c.ClientCertificateFile != "", entra},
		{"cloud", c.Cloud != "", entra},
		{"netbios_domains", len(c.NetBIOSDomains) > 0, entra},
		{"guests", c.Guests, entra},
		{"cards", len(c.Cards) > 0, entra},
		{"access_code", c.AccessCode != "", entra},
		{"pin", c.PIN != "", entra},
		{"read_groups", c.ReadGroups != nil, entra},
		{"client_secret_expires", c.ClientSecretExpires != "", entra},
		{"authority", c.Authority != "", entra},
		{"graph_url", c.GraphURL != "", entra},
		{"allow_any_authority", c.AllowAnyAuthority, clouds},
		{"customer", c.Customer != "", google},
		{"service_account_file", c.ServiceAccountFile != "", google},
		{"subject", c.Subject != "", google},
		{"org_units", len(c.OrgUnits) > 0, google},
		{"card_fields", len(c.CardFields) > 0, google},
		{"code_field", c.CodeField != "", google},
		{"watch_url", c.WatchURL != "", google},
		{"api_url", c.APIURL != "", google},
	}
}
