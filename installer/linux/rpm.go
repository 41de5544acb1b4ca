package linux

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/platenprint/platen/installer/product"
)

// writeRPM lets rpmbuild make the package, without anything that depends on the computer that builds it.
func (p contents) writeRPM(ctx context.Context, in product.Input, root, work string) (made, name string, err error) {
	s, err := systemOf(in.Arch)
	if err != nil {
		return "", "", err
	}
	spec := filepath.Join(work, p.name+".spec")
	if err := os.WriteFile(spec, []byte(p.spec(in, root)), 0o600); err != nil {
		return "", "", err
	}
	args := []string{"-bb", "--quiet", "--nodeps", "--target", s.rpm + "-linux"}
	for _, define := range []string{
		"_topdir " + filepath.Join(work, "rpmbuild"),
		"_tmppath " + work,
		"_rpmdir " + work,
		"_build_name_fmt package.rpm",
		"_buildhost build.invalid", // it must be one; this says nothing
		"use_source_date_epoch_as_buildtime 1",
		"clamp_mtime_to_source_date_epoch 1",
		"source_date_epoch_from_changelog 0",
		"_binary_payload w7T1.xzdio",
		"_binary_filedigest_algorithm 8", // SHA-256
		"_build_id_links none",
		"debug_package %{nil}",
		"__os_install_post %{nil}", // nothing strips, compresses or moves what was laid out
		"optflags %{nil}",
		"_missing_doc_files_terminate_build 1",
	} {
		args = append(args, "--define", define)
	}
	_, err = tool(ctx, []string{epoch(in), "HOME=" + work}, "rpmbuild", append(args, spec)...) // HOME: nobody's .rpmmacros
	return filepath.Join(work, "package.rpm"), fmt.Sprintf("%s-%s-1.%s.rpm", p.name, in.Release.Linux(), s.rpm), err
}

// spec is the recipe (rpm.org, spec file format): everything has been built and laid out already.
func (p contents) spec(in product.Input, root string) string {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, verbatim(value))
		}
	}
	for _, f := range [][2]string{
		{"Name", p.name},
		{"Version", in.Release.Linux()},
		{"Release", "1"},
		{"Summary", p.summary},
		{"License", product.License},
		{"Group", p.rpmGroup},
		{"URL", product.Homepage},
		{"Vendor", product.Vendor},
		{"Packager", product.Maintainer},
		{"AutoReqProv", "no"},
	} {
		field(f[0], f[1])
	}
	for _, r := range p.rpm.requires {
		field("Requires(pre)", r)
	}
	for _, r := range p.rpm.depends {
		field("Requires", r)
	}
	for _, r := range p.rpm.recommends {
		field("Recommends", r)
	}
	for _, r := range p.rpm.suggests {
		field("Suggests", r)
	}
	fmt.Fprintf(&b, "\n%%description\n%s\n", verbatim(wrap(p.description)))
	fmt.Fprintf(&b, "\n%%install\nmkdir -p %%{buildroot}\ncp -a '%s/.' %%{buildroot}/\n", root)
	for _, name := range []string{"pre", "post", "preun", "postun"} {
		if text := p.rpm.scripts[name]; text != "" {
			fmt.Fprintf(&b, "\n%%%s\n%s", name, verbatim(text))
		}
	}
	b.WriteString("\n%files\n")
	for _, i := range p.of(rpm) {
		group := i.group
		if group == "" {
			group = "root"
		}
		what := map[kind]string{folder: "%dir ", config: "%config(noreplace) ", license: "%license "}[i.kind]
		fmt.Fprintf(&b, "%s%%attr(%04o,root,%s) %q\n", what, i.mode.Perm(), group, i.path)
	}
	return b.String()
}

// verbatim keeps rpm from finding macros in a text.
func verbatim(text string) string { return strings.ReplaceAll(text, "%", "%%") }
