package mail

import (
	"os"

	"github.com/platenprint/platen/server-stub/config"
)

// SettingsOf makes the settings of the configuration.
func SettingsOf(c *config.Mail) Settings {
	s := Settings{
		Host: c.Host, Port: c.Port, TLS: TLS(c.TLS), CAFile: c.CAFile, User: c.User, Password: c.Password, From: c.From, ReplyTo: c.ReplyTo, Admins: c.Admins,
		Language: c.Language, PerMinute: c.PerMinute, CodeReplaced: c.CodeReplaced, CodeChanged: c.CodeChanged,
	}
	switch c.Welcome {
	case "yes":
		s.Welcome = TemplateWelcome
	case "plain":
		s.Welcome = TemplateWelcomePlain
	}
	if c.Texts != "" {
		s.Texts = os.DirFS(c.Texts)
	}
	return s
}
