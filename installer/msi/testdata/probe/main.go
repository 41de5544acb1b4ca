// Program probe says, as JSON, how a Windows stands: the values of the registry keys that are its arguments and of those below
// them, and the services whose names begin with Platen.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

type service struct {
	Running  bool
	Recovery []string // kind and delay; the rest is in the registry: Wine does not answer every question
}

func main() {
	found := struct {
		Values   map[string]map[string]string
		Services map[string]service
	}{map[string]map[string]string{}, map[string]service{}}
	for _, key := range os.Args[1:] {
		read(strings.TrimPrefix(key, `HKLM\`), found.Values)
	}
	m, err := mgr.Connect()
	check(err)
	names, err := m.ListServices()
	check(err)
	for _, name := range names {
		if !strings.HasPrefix(name, "Platen") {
			continue
		}
		s, err := m.OpenService(name)
		check(err)
		status, err := s.Query()
		check(err)
		one := service{Running: status.State == svc.Running}
		if actions, err := s.RecoveryActions(); err == nil {
			for _, a := range actions {
				one.Recovery = append(one.Recovery, fmt.Sprint(a.Type, " ", a.Delay))
			}
		}
		found.Services[name] = one
	}
	check(json.NewEncoder(os.Stdout).Encode(found))
}

// read puts the values of a key and of those below it into all; a key that is not there is none.
func read(path string, all map[string]map[string]string) {
	key, err := registry.OpenKey(windows.HKEY_LOCAL_MACHINE, path, registry.READ|registry.WOW64_64KEY)
	if err != nil {
		return
	}
	defer key.Close()
	names, err := key.ReadValueNames(-1)
	check(err)
	values := map[string]string{}
	for _, name := range names {
		if text, _, err := key.GetStringValue(name); err == nil {
			values[name] = text
		} else if number, _, err := key.GetIntegerValue(name); err == nil {
			values[name] = fmt.Sprint(number)
		} else {
			values[name] = "?"
		}
	}
	all[`HKLM\`+path] = values
	below, err := key.ReadSubKeyNames(-1)
	check(err)
	for _, name := range below {
		read(path+`\`+name, all)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
