package deploykit

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

// linux adds the settings for Linux, as files and as a Debian package, and the packages themselves.
func (k *Kit) linux() error {
	all := append(append([]policy.Value{}, k.options.Enforced...), k.options.Recommended...)
	about := fmt.Sprintf("Platen's settings for %s, by platen-server deploy-kit.", k.host)
	site, err := policy.Conf(about+"\nThis file is the site's and changes with its package; settings for one computer belong into "+settings.MachineFile+", which\noutranks it.", all)
	if err != nil {
		return err
	}
	enforced, err := policy.Conf(about+"\nNobody can change what stands here: it belongs to "+settings.PolicyFile+".", k.options.Enforced)
	if err != nil {
		return err
	}
	k.add("linux/site.conf", "settings for "+settings.SiteFile, site)
	k.add("linux/policy.conf", "the same enforced, for "+settings.PolicyFile, enforced)
	text, err := k.configPackage(site).bytes()
	if err != nil {
		return err
	}
	k.add("linux/"+k.configPackageFile(), "Debian package with site.conf", text)
	p := k.packages
	for _, x := range []*pack{p.debAMD, p.debARM, p.rpmX, p.rpmA} {
		if x != nil {
			k.copies(x, "linux/"+x.name, "Platen "+x.version.Version)
		}
	}
	return nil
}

// configPackage is the Debian package that brings the site's settings.
func (k *Kit) configPackage(site []byte) deb {
	maintainer := "Administrator of " + k.host + " <root@" + mailHost(k.host) + ">"
	return deb{
		name: debNameOf(k.host), version: k.configVersion(), maintainer: maintainer, time: k.options.Time.UTC(),
		summary:     "Settings of Platen for " + k.host,
		description: "Tells Platen, the print client, its server: it brings " + settings.SiteFile + "\nand nothing else.",
		relations: [][2]string{
			{"Enhances", product.ClientPackage}, {"Provides", "platen-config"}, {"Conflicts", "platen-config"}, {"Replaces", "platen-config"},
		},
		files: []debFile{{strings.TrimPrefix(settings.SiteFile, "/"), site}},
	}
}

// configVersion grows with time, so that a newer kit's package upgrades an older one's.
func (k *Kit) configVersion() string { return k.options.Time.UTC().Format("20060102.150405") }

func (k *Kit) configPackageFile() string {
	return debNameOf(k.host) + "_" + k.configVersion() + "_all.deb"
}

// mailHost is the host as the part behind an @.
func mailHost(host string) string {
	if strings.Contains(host, ":") {
		return "localhost"
	}
	return host
}
