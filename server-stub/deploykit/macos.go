package deploykit

import (
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
)

// macOS adds the profile, what Munki wants to know, and the package.
func (k *Kit) macOS() error {
	profile, err := policy.MobileConfig(policy.Profile{
		Host: k.host, Organisation: k.options.Organisation, Enforced: k.options.Enforced, Recommended: k.options.Recommended,
		TeamID: k.options.TeamID, Labels: identity.Labels(), Bundle: identity.Bundle,
	})
	if err != nil {
		return err
	}
	k.add("macos/platen.mobileconfig", "profile with the settings, for Jamf, Intune, Munki's MDM or any other", profile)
	p := k.packages.pkg
	if p == nil {
		return nil
	}
	k.copies(p, "macos/"+k.pkgName(), "Platen "+p.version.Version)
	k.add("macos/platen.pkginfo.plist", "what Munki wants to know of the package", policy.Munki(policy.MunkiPackage{
		Version: p.version.Version, File: k.pkgName(), SHA256: p.sum, Size: p.size, Receipt: identity.Package,
		Name: "Platen", Description: product.Summary, Developer: product.Vendor, Uninstall: identity.Uninstaller,
	}))
	return nil
}

func (k *Kit) pkgName() string { return k.named(k.packages.pkg, ".pkg", "platen-VERSION.pkg") }
