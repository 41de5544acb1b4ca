package linux

import (
	"github.com/platenprint/platen/installer/product"
	servercli "github.com/platenprint/platen/server-stub/cli"
	serverservice "github.com/platenprint/platen/server-stub/service"
)

// server is the package of the print server.
func server(in product.Input) (contents, error) {
	p := contents{
		name: product.ServerPackage, summary: product.ServerSummary, description: product.ServerDescription,
		debSection: "net", rpmGroup: "System Environment/Daemons",
		deb: family{
			scripts:  map[string]string{"postinst": text("server/postinst.sh"), "prerm": text("server/prerm.sh"), "postrm": text("server/postrm.sh")},
			depends:  []string{"adduser"},
			suggests: []string{"postgresql"},
		},
		rpm: family{
			scripts: map[string]string{
				"pre": text("server/pre.rpm.sh"), "post": text("server/post.rpm.sh"), "preun": text("server/preun.rpm.sh"), "postun": text("server/postun.rpm.sh"),
			},
			requires: []string{"/usr/sbin/useradd", "/usr/sbin/groupadd"},
			suggests: []string{"postgresql-server"},
		},
	}
	binaries, err := programs(in, "platen-server")
	if err != nil {
		return p, err
	}
	p.items = append(p.items, binaries...)
	unit, err := serverservice.Unit("/usr/bin/platen-server")
	if err != nil {
		return p, err
	}
	doc := "/usr/share/doc/" + p.name
	p.items = append(p.items,
		item{path: "/usr/lib/systemd/system/platen-server.service", mode: 0o644, text: unit},
		item{path: "/usr/lib/sysusers.d/platen-server.conf", mode: 0o644, text: serverservice.Account()},
		item{path: "/etc/platen-server", mode: 0o750, kind: folder, group: "platen-server"},
		item{path: "/etc/platen-server/platen-server.yaml", mode: 0o640, text: serverservice.Config(), kind: config, group: "platen-server"},
		item{path: doc + "/README.Debian", mode: 0o644, text: text("server/README"), format: deb},
		item{path: doc + "/README.first-start", mode: 0o644, text: text("server/README"), format: rpm},
	)
	manuals, err := serverManuals(in.Release)
	if err != nil {
		return p, err
	}
	p.items = append(p.items, manuals...)
	completed, err := completions(servercli.Command())
	if err != nil {
		return p, err
	}
	p.items = append(p.items, completed...)
	p.items = append(p.items, papers(in, p.name)...)
	p.items = append(p.items, item{
		path: "/usr/share/lintian/overrides/" + p.name, mode: 0o644, format: deb,
		text: text("server/lintian"),
	})
	return p, nil
}
