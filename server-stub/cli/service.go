package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/service"
)

// installed is the data folder of the server that is installed as a service, "" for none.
func installed() string {
	places, err := service.Installed()
	if err != nil {
		return ""
	}
	if _, err := os.Stat(places.Data); err != nil && !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	return places.Data
}

func (a *app) service() *cobra.Command {
	cmd := group("service", "The server as a service of this computer")
	cmd.Long = cmd.Short + ", which starts with it and has an account of its own: systemd, launchd, or Windows' services.\n\n" +
		"The packages for Linux bring the service; there, install only switches it on."
	cmd.AddCommand(a.serviceInstall(), a.serviceUninstall(),
		a.serviceAct("start", "Start the service, and wait until the server is ready", "runs", service.Manager.Start),
		a.serviceAct("stop", "Stop the service", "is stopped", service.Manager.Stop),
		a.serviceStatus(), a.serviceRun())
	return cmd
}

// ServiceStatus is the answer of service status.
type ServiceStatus struct {
	State  service.State `json:"state"`
	Data   string        `json:"data"`
	Config string        `json:"config"`
	Log    string        `json:"log,omitempty"`
}

// services finds the manager, and where the service has its files.
func services() (service.Manager, service.Places, error) {
	m, err := service.Find()
	if err != nil {
		return nil, service.Places{}, err
	}
	places, err := service.Installed()
	return m, places, err
}

func (a *app) serviceInstall() *cobra.Command {
	return &cobra.Command{
		Use: "install", Short: "Install the service: its account, its folders, and a configuration to fill in", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, places, err := services()
			if err != nil {
				return err
			}
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			if err := m.Install(cmd.Context(), program); err != nil {
				return err
			}
			return a.print(ServiceStatus{State: service.Stopped, Data: places.Data, Config: places.Config, Log: places.Log}, func(w io.Writer) {
				fmt.Fprintf(w, "The service is installed, and starts with the computer. Its configuration is %s.\n", places.Config)
				fmt.Fprintln(w, "Start it now with: platen-server service start")
				if runtime.GOOS == "windows" {
					fmt.Fprintln(w, "Let other computers reach it: "+
						`netsh advfirewall firewall add rule name="Platen Server" dir=in action=allow protocol=TCP localport=8443,8445`)
				}
			})
		},
	}
}

func (a *app) serviceUninstall() *cobra.Command {
	var purge, yes bool
	cmd := &cobra.Command{
		Use: "uninstall", Short: "Stop the service and remove it; what is in its folders stays", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, places, err := services()
			if err != nil {
				return err
			}
			if purge {
				if err := a.confirm(yes, fmt.Sprintf("Remove all that the server knows, people and their balances, from %s?", places.Data)); err != nil {
					return err
				}
			}
			if err := m.Uninstall(cmd.Context()); err != nil {
				return err
			}
			if purge {
				if err := m.Purge(cmd.Context()); err != nil {
					return err
				}
			}
			return a.print(ServiceStatus{State: service.NotInstalled, Data: places.Data, Config: places.Config, Log: places.Log}, func(w io.Writer) {
				fmt.Fprintln(w, "The service is removed.")
				if !purge {
					fmt.Fprintf(w, "Its data stay in %s; --purge removes them.\n", places.Data)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "remove its data, configuration and logs, too")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask whether to remove the data")
	return cmd
}

func (a *app) serviceAct(name, short, done string, act func(service.Manager, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, places, err := services()
			if err != nil {
				return err
			}
			if err := act(m, cmd.Context()); err != nil {
				return err
			}
			state, err := m.State(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(ServiceStatus{State: state, Data: places.Data, Config: places.Config, Log: places.Log}, func(w io.Writer) {
				fmt.Fprintf(w, "The service %s. How it stands, and where clients reach it: platen-server status\n", done)
			})
		},
	}
}

func (a *app) serviceStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say how the service stands; ends with 4 when it does not run", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, places, err := services()
			if err != nil {
				return err
			}
			s := ServiceStatus{Data: places.Data, Config: places.Config, Log: places.Log}
			if s.State, err = m.State(cmd.Context()); err != nil {
				return err
			}
			err = a.print(s, func(w io.Writer) {
				fields(w, [][2]string{{"Service", string(s.State)}, {"Data", s.Data}, {"Configuration", s.Config}, {"Log", s.Log}})
			})
			if err == nil && s.State != service.Running {
				return &silentError{ExitNotRunning}
			}
			return err
		},
	}
}

// serviceRun is what the systems start that have no room for a command line in their settings.
func (a *app) serviceRun() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Be the service", Hidden: true, Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			places, err := service.Installed()
			if err != nil {
				return err
			}
			log := a.Err
			if places.Log != "" {
				file, err := service.OpenLog(places.Log)
				if err != nil {
					return err
				}
				defer func() { _ = file.Close() }()
				log = file
			}
			return service.Run(cmd.Context(), func(ctx context.Context, ready func()) error {
				err := a.assembly.Serve(ctx, Serve{Data: places.Data, Sources: config.Sources{Getenv: a.Getenv, File: places.Config}, Ready: ready}, log, log)
				if err != nil {
					fmt.Fprintf(log, "platen-server: %v\n", err)
				}
				return err
			})
		},
	}
}
