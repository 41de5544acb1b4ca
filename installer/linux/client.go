package linux

import (
	"embed"
	"fmt"
	"path/filepath"

	clientcli "github.com/platenprint/platen/client/cli"
	"github.com/platenprint/platen/installer/product"
	deploycli "github.com/platenprint/platen/printqueue/cli"
	deployservice "github.com/platenprint/platen/printqueue/service"
)

//go:embed files
var embedded embed.FS

// text is a file of the folder files.
func text(name string) string {
	t, err := embedded.ReadFile("files/" + name)
	if err != nil {
		panic(err) // the program was built without it: no input can bring this about
	}
	return string(t)
}

// iconSizes are the pictures of assets/icons/png.
var iconSizes = []int{16, 24, 32, 48, 64, 128, 256, 512}

const iconTheme = "/usr/share/icons/hicolor"

// client is the package of a workstation.
func client(in product.Input) (contents, error) {
	p := contents{
		name: product.ClientPackage, summary: product.Summary, description: product.Description,
		debSection: "utils", rpmGroup: "Applications/System",
		deb: family{
			scripts:    map[string]string{"postinst": text("client/postinst.sh"), "prerm": text("client/prerm.sh"), "postrm": text("client/postrm.sh")},
			recommends: []string{"gnome-keyring | kwalletmanager | keepassxc", "xdg-utils"},
			suggests:   []string{"gnome-shell-extension-appindicator"},
		},
		rpm: family{
			scripts:    map[string]string{"post": text("client/post.rpm.sh"), "preun": text("client/preun.rpm.sh"), "postun": text("client/postun.rpm.sh")},
			recommends: []string{"(gnome-keyring or kwallet or keepassxc)", "xdg-utils"},
			suggests:   []string{"gnome-shell-extension-appindicator"},
		},
	}
	binaries, err := programs(in, "platen", "platen-window", "platen-deploy")
	if err != nil {
		return p, err
	}
	p.items = append(p.items, binaries...)
	for _, b := range binaries {
		n, err := needsOf(b.source)
		if err != nil {
			return p, err
		}
		n.add(&p.deb, &p.rpm)
	}
	unit, err := deployservice.Unit("/usr/bin/platen-deploy")
	if err != nil {
		return p, err
	}
	p.items = append(p.items,
		item{path: "/usr/lib/systemd/system/platen-deploy.service", mode: 0o644, text: unit},
		item{path: "/usr/lib/systemd/system-preset/80-platen.preset", mode: 0o644, text: text("client/preset"), format: rpm},
		item{path: "/etc/xdg/autostart/" + product.Identifier + ".desktop", mode: 0o644, text: text("client/autostart.desktop"), kind: config},
		item{path: "/usr/share/applications/" + product.Identifier + ".desktop", mode: 0o644, text: text("client/application.desktop")},
		item{path: "/etc/platen", mode: 0o755, kind: folder},
		item{path: "/etc/platen/platen.conf", mode: 0o644, text: settingsFile(), kind: config},
	)
	p.items = append(p.items, icons(in)...)
	p.items = append(p.items, manual(in.Release, "platen", 1, clientManual())...)
	p.items = append(p.items, manual(in.Release, "platen-window", 1, windowManual())...)
	p.items = append(p.items, manual(in.Release, "platen-deploy", 8, deployManual())...)
	p.items = append(p.items, manual(in.Release, "platen.conf", 5, settingsManual())...)
	completed, err := completions(clientcli.Command(), deploycli.Command())
	if err != nil {
		return p, err
	}
	p.items = append(p.items, completed...)
	p.items = append(p.items, papers(in, p.name)...)
	p.items = append(p.items, item{
		path: "/usr/share/lintian/overrides/" + p.name, mode: 0o644, format: deb,
		text: text("client/lintian"),
	})
	return p, nil
}

// icons are the pictures of the icon theme that every other theme inherits (freedesktop.org, icon theme specification).
func icons(in product.Input) []item {
	dirs := []item{}
	var list []item
	for _, size := range iconSizes {
		dir := fmt.Sprintf("%s/%dx%d/apps", iconTheme, size, size)
		dirs = append(dirs, owned(dir)...)
		list = append(list, item{
			path: dir + "/" + product.Identifier + ".png", mode: 0o644,
			source: filepath.Join(in.Assets, "icons", "png", fmt.Sprintf("app-%d.png", size)),
		})
	}
	dirs = append(dirs, owned(iconTheme+"/scalable/apps")...)
	list = append(list, item{path: iconTheme + "/scalable/apps/" + product.Identifier + ".svg", mode: 0o644, source: filepath.Join(in.Assets, "icons", "src", "app.svg")})
	dirs = append(dirs, item{path: iconTheme, mode: 0o755, kind: folder, format: rpm})
	return append(dirs, list...)
}

// owned are a folder and the one above it, owned by the rpm: where no package that has them is installed, they go with ours.
func owned(dir string) []item {
	return []item{
		{path: filepath.Dir(dir), mode: 0o755, kind: folder, format: rpm},
		{path: dir, mode: 0o755, kind: folder, format: rpm},
	}
}

// papers are the license, the list of changes and what is to be read first.
func papers(in product.Input, name string) []item {
	doc := "/usr/share/doc/" + name
	at := in.Release.Time.UTC()
	changes := fmt.Sprintf("%s (%s) stable; urgency=medium\n\n  * Release %s; what changed is told at\n    %s/releases\n\n -- %s  %s\n",
		name, in.Release.Linux(), in.Release.Version, product.Homepage, product.Maintainer, at.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	list := []item{
		{path: doc, mode: 0o755, kind: folder, format: rpm},
		{path: doc + "/copyright", mode: 0o644, text: text("copyright"), format: deb},
		{path: doc + "/changelog.gz", mode: 0o644, text: compress(changes), format: deb},
		{path: "/usr/share/licenses/" + name, mode: 0o755, kind: folder, format: rpm},
		{path: "/usr/share/licenses/" + name + "/LICENSE", mode: 0o644, source: in.License, kind: license, format: rpm},
	}
	if in.Notices != "" {
		list = append(list,
			item{path: doc + "/" + product.NoticesFile, mode: 0o644, source: in.Notices, format: deb},
			item{path: "/usr/share/licenses/" + name + "/" + product.NoticesFile, mode: 0o644, source: in.Notices, kind: license, format: rpm})
	}
	return list
}
