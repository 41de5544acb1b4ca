package deploykit

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/installer/msi/detection"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings"
)

// windows adds the templates, the policies as files and scripts, and the package.
func (k *Kit) windows() error {
	k.add("windows/PolicyDefinitions/"+policy.TemplateName+".admx", "Group Policy template", policy.ADMX())
	for _, language := range policy.Languages() {
		text, err := policy.ADML(language)
		if err != nil {
			return err
		}
		k.add("windows/PolicyDefinitions/"+language+"/"+policy.TemplateName+".adml", "its texts", text)
	}
	o := k.options
	reg, err := policy.Registry(o.Enforced, o.Recommended)
	if err != nil {
		return err
	}
	k.add("windows/platen-policy.reg", "the policies for one computer", reg)
	intune, err := policy.Intune("Platen ("+k.host+")", o.Enforced, o.Recommended)
	if err != nil {
		return err
	}
	k.add("windows/intune-settings.json", "the policies for Intune (Microsoft Graph)", intune)
	k.add("windows/gpo.ps1", "makes the Group Policy object", script(k.groupPolicy()))
	k.add("windows/uninstall.ps1", "removes every version of Platen", script(uninstallScript))
	if r, ok := k.packages.msi.release(); ok {
		k.add("windows/detect.ps1", "detection script for Intune and SCCM", script(detectScript(r)))
	}
	k.copies(k.packages.msi, "windows/"+k.msiName(), "Platen "+k.version())
	return nil
}

func (k *Kit) msiName() string { return k.named(k.packages.msi, ".msi", "platen-VERSION-x64.msi") }

// version is that of the packages, for instructions.
func (k *Kit) version() string {
	for _, p := range []*pack{k.packages.msi, k.packages.pkg, k.packages.debAMD, k.packages.debARM, k.packages.rpmX, k.packages.rpmA} {
		if r, ok := p.release(); ok {
			return r.Version
		}
	}
	return "VERSION"
}

// script is a PowerShell script as Windows PowerShell 5.1 reads it: with a byte order mark it is UTF-8.
func script(text string) []byte {
	return []byte("\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"))
}

// groupPolicy is the script that makes the Group Policy object.
func (k *Kit) groupPolicy() string {
	var b strings.Builder
	fmt.Fprintf(&b, `#Requires -Modules GroupPolicy
# Makes or updates a Group Policy object that tells Platen its server, %s. Link it to the computers afterwards:
#   New-GPLink -Name Platen -Target 'OU=Workstations,DC=example,DC=org'
param([string]$Name = 'Platen')
$ErrorActionPreference = 'Stop'
if (-not (Get-GPO -Name $Name -ErrorAction SilentlyContinue)) { New-GPO -Name $Name | Out-Null }
`, k.host)
	for _, level := range []struct {
		key    string
		values []policy.Value
	}{
		{settings.RegistryPolicyMachine, k.options.Enforced},
		{settings.RegistryPolicyMachine + `\` + settings.RegistryRecommended, k.options.Recommended},
	} {
		for _, v := range level.values {
			kind, literal := powershellValue(v)
			fmt.Fprintf(&b, "Set-GPRegistryValue -Name $Name -Key %s -ValueName %s -Type %s -Value %s | Out-Null\n",
				powershell(level.key), powershell(v.Name), kind, literal)
		}
	}
	b.WriteString("Write-Output \"The Group Policy object $Name is ready; link it to the computers.\"\n")
	return b.String()
}

// powershellValue is a value with its type in the registry.
func powershellValue(v policy.Value) (kind, literal string) {
	s, _ := settings.Lookup(v.Name)
	switch s.Kind {
	case settings.KindBool:
		if v.Text == "yes" {
			return "DWord", "1"
		}
		return "DWord", "0"
	case settings.KindList:
		var items []string
		for _, item := range settings.ParseList(v.Text) {
			items = append(items, powershell(item))
		}
		return "MultiString", "([string[]]@(" + strings.Join(items, ", ") + "))"
	case settings.KindAddress, settings.KindPath, settings.KindPins, settings.KindRules, settings.KindChoice, settings.KindAmount, settings.KindProxy:
	}
	return "String", powershell(v.Text)
}

// detectScript writes something and ends with 0 where this version or a newer one is installed, which is how Intune and SCCM ask.
func detectScript(r product.Release) string {
	rule := detection.Of(r)
	return fmt.Sprintf(`# Says whether Platen %s or a newer version is installed. Run it as a 64-bit script.
$file = Join-Path $env:ProgramFiles 'Platen\platen.exe'
if (Test-Path -LiteralPath $file) {
  $v = (Get-Item -LiteralPath $file).VersionInfo
  $found = New-Object System.Version $v.FileMajorPart, $v.FileMinorPart, $v.FileBuildPart, $v.FilePrivatePart
  if ($found -ge [version]'%s') { Write-Output "Platen $found" }
}
exit 0
`, r.Version, rule.FileVersion)
}

// uninstallScript removes whatever version is installed: Windows Installer knows them by the upgrade code.
const uninstallScript = `# Removes every version of Platen. -KeepData keeps the computer's enrolment and people's sign-ins.
param([switch]$KeepData)
$installer = New-Object -ComObject WindowsInstaller.Installer
$worst = 0
foreach ($code in @($installer.RelatedProducts('` + product.UpgradeCode + `'))) {
  $arguments = @('/x', $code, '/qn', '/norestart')
  if ($KeepData) { $arguments += 'KEEPDATA=1' }
  $p = Start-Process -FilePath "$env:SystemRoot\System32\msiexec.exe" -ArgumentList $arguments -Wait -PassThru
  if ($p.ExitCode -ne 0 -and $p.ExitCode -ne 1605) { $worst = $p.ExitCode }
}
exit $worst
`
