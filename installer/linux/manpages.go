package linux

import (
	"fmt"
	"strings"

	clientcli "github.com/platenprint/platen/client/cli"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/settings"
	deploycli "github.com/platenprint/platen/printqueue/cli"
	servercli "github.com/platenprint/platen/server-stub/cli"
	serverconfig "github.com/platenprint/platen/server-stub/config"
)

func clientManual() page {
	c := clientcli.Command()
	return page{
		summary: c.Short, synopsis: []string{"platen [OPTION...]", "platen COMMAND [OPTION...]"}, command: c,
		sections: []section{
			{"DESCRIPTION", paragraphs(c.Long)},
			{"FILES", []string{
				"/etc/platen/platen.conf and the files beside it have the settings of the computer: platen.conf(5).",
				"~/.config/platen/platen.conf has those of one person.",
				"/etc/xdg/autostart/" + product.Identifier + ".desktop starts it at log\u2010on.",
			}},
			{"SIGNALS", []string{
				"SIGTERM ends it. SIGUSR1 makes it go on as the program that is now in its place, SIGUSR2 makes it remove what it keeps of its person and end; platen\u2010deploy clients sends them.",
			}},
		},
		also: []string{"platen.conf(5)", "platen-window(1)", "platen-deploy(8)"},
	}
}

func windowManual() page {
	return page{
		summary: "the window of platen", synopsis: []string{"platen-window"},
		sections: []section{
			{"DESCRIPTION", []string{"Platen\u2010window shows who is printing and what they have left, and signs people in. platen(1) starts it when somebody wants to see it; it ends when its window is closed. It keeps no secrets and speaks to nobody but platen(1)."}},
			{"EXIT STATUS", []string{"0 closed, 2 wrong arguments, 3 no display, 4 nothing could be drawn (no OpenGL)."}},
		},
		also: []string{"platen(1)"},
	}
}

func deployManual() page {
	c := deploycli.Command()
	return page{
		summary: c.Short, synopsis: []string{"platen-deploy COMMAND [OPTION...]"}, command: c,
		sections: []section{
			{"DESCRIPTION", paragraphs(c.Long)},
			{"FILES", []string{
				"/etc/platen/ has the settings of the computer: platen.conf(5).",
				settings.TokenFile + " may hold an enrolment token; it must be readable by root alone.",
				"/var/lib/platen-deploy has the computer's key and certificate, /var/log/platen-deploy the log, /run/platen the socket.",
			}},
		},
		also: []string{"platen(1)", "platen.conf(5)", "systemctl(1)"},
	}
}

func settingsManual() page {
	p := page{
		summary: "settings of Platen on a computer", synopsis: []string{settings.MachineFile},
		sections: []section{{"DESCRIPTION", []string{
			"Lines of Key=value; case does not matter in the key. Lines that begin with # and blank lines do not count. Every setting also has an option of platen(1) and an environment variable.",
			"The strongest source wins: policy, option, environment, the person's file, recommended policy, this file, the site's file, then what the network says. \"platen config\" shows every setting with its value and its source.",
			"The privileged service platen-deploy(8) reads files of the computer only, and only the settings marked so.",
		}}},
		also: []string{"platen(1)", "platen-deploy(8)"},
	}
	var list section
	list.title = "SETTINGS"
	for _, s := range settings.Table() {
		about := s.Doc
		if s.Default != "" {
			about += " Default: " + s.Default + "."
		}
		if s.Machine {
			about += " The service reads it too."
		}
		list.text = append(list.text, fmt.Sprintf("%s (--%s, %s): %s", s.Name, s.Flag(), s.Env(), about))
	}
	p.sections = append(p.sections, list, section{"FILES", []string{
		settings.PolicyFile + ": what nobody may change.",
		settings.RecommendedFile + ": what is so unless the person says otherwise.",
		settings.MachineFile + ": this file, for the administrator of the computer.",
		settings.SiteFile + ": for a package of the site's own.",
		settings.TokenFile + ": an enrolment token, readable by root alone.",
	}})
	return p
}

func serverManuals(r product.Release) ([]item, error) {
	c := servercli.Command()
	list := manual(r, "platen-server", 1, page{
		summary: c.Short, synopsis: []string{"platen-server [--data DIR] COMMAND [OPTION...]"}, command: c,
		sections: []section{
			{"DESCRIPTION", []string{
				"The server of Platen: one program, a folder with everything it keeps, and a configuration file. \"serve\" is the server; the other commands speak to the running one.",
				"The first start makes a database, a master key and a certificate authority. Keep a copy of the master key in another place: without it no backup can be restored.",
			}},
			{"FIRST START", []string{
				"The package has started the service, or says how to. What comes next, from the first owner to the backups, is in /usr/share/doc/platen-server (README.Debian or README.first-start).",
			}},
			{"EXIT STATUS", []string{"0 done, 1 failed, 2 not written right, 3 refused, 4 no server runs."}},
			{"FILES", []string{
				"/etc/platen-server/platen-server.yaml: platen-server.yaml(5).",
				"/var/lib/platen-server: the data. Removing the package keeps it.",
			}},
		},
		also: []string{"platen-server.yaml(5)", "systemctl(1)", "journalctl(1)"},
	})
	defaults, err := serverconfig.Load(serverconfig.Sources{})
	if err != nil {
		return nil, fmt.Errorf("the server's settings: %w", err)
	}
	about := section{title: "SETTINGS"}
	for _, s := range defaults.Settings() {
		text := s.Key + ": " + strings.TrimSuffix(s.Doc, ".") + "."
		if s.Value != "" && s.Value != "none" {
			text += " Default: " + s.Value
		}
		about.text = append(about.text, text)
	}
	return append(list, manual(r, "platen-server.yaml", 5, page{
		summary: "configuration of Platen's server", synopsis: []string{"/etc/platen-server/platen-server.yaml"},
		sections: []section{{"DESCRIPTION", []string{
			"One YAML document; a key with a point is one of a group: sign_in.modes stands as modes below sign_in. A setting without a structure can also be given by the environment: PLATEN_SIGN_IN_MODES. \"platen-server config show\" shows what is in force. A change wants a restart.",
		}}, about},
		also: []string{"platen-server(1)"},
	})...), nil
}

func paragraphs(text string) []string { return strings.Split(text, "\n\n") }
