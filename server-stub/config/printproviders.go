package config

import (
	"net/netip"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/names"
)

// printProvider is one entry of the list `print_providers`:
//
//	print_providers:
//	  - name: print1
//	    upn_suffix: organization.com                                    # alex.test is alex.test@organization.com
//	  - name: print2
//	    upn_suffix: CORP=organization.com; SALES=sales.organization.com # two domains behind one provider
//	    networks: [10.2.0.0/16]                                         # where its jobs come from
type printProvider struct {
	Name      string   `yaml:"name"`
	UPNSuffix string   `yaml:"upn_suffix,omitempty"`
	Networks  []string `yaml:"networks,omitempty"`
}

// printProviders reads and checks the list.
func (f *file) printProviders(node *yaml.Node) names.Providers {
	var list names.Providers
	for _, item := range node.Content {
		var entry printProvider
		if !f.decode("print_providers", item, &entry) {
			continue
		}
		p := names.Provider{Name: entry.Name}
		b := blockCheck{f, item, "print_providers: " + entry.Name}
		if _, err := auth.Canon(entry.Name); err != nil || len(entry.Name) > 64 {
			b.wrong("name", "write a short name, such as print1")
		} else if _, twice := list.Named(entry.Name); twice {
			b.wrong("name", "two providers have it: give each its own")
		}
		var err error
		if p.Suffix, err = usermap.ParseRules(entry.UPNSuffix); err != nil {
			b.wrong("upn_suffix", "%v", err)
		}
		for _, text := range entry.Networks {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				b.wrong("networks", "%q: write networks such as 10.2.0.0/16", text)
				continue
			}
			for _, other := range list {
				for _, theirs := range other.Networks {
					if theirs == network.Masked() {
						b.wrong("networks", "%s is that of %s already: a job from there could be either's", network, other.Name)
					}
				}
			}
			p.Networks = append(p.Networks, network.Masked())
		}
		list = append(list, p)
	}
	return list
}
