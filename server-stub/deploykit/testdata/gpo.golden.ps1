#Requires -Modules GroupPolicy
# Makes or updates a Group Policy object that tells Platen its server, print.example.org. Link it to the computers afterwards:
#   New-GPLink -Name Platen -Target 'OU=Workstations,DC=example,DC=org'
param([string]$Name = 'Platen')
$ErrorActionPreference = 'Stop'
if (-not (Get-GPO -Name $Name -ErrorAction SilentlyContinue)) { New-GPO -Name $Name | Out-Null }
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen' -ValueName 'ServerURL' -Type String -Value 'https://print.example.org:8443' | Out-Null
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen' -ValueName 'CAPin' -Type String -Value 'sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' | Out-Null
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen' -ValueName 'UPNSuffix' -Type String -Value 'CORP=example.org; lab.example.org' | Out-Null
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen' -ValueName 'DeviceRole' -Type String -Value 'shared' | Out-Null
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen' -ValueName 'SharedOSUsers' -Type MultiString -Value ([string[]]@('kiosk', 'O''Neill')) | Out-Null
Set-GPRegistryValue -Name $Name -Key 'HKLM\Software\Policies\Platen\Recommended' -ValueName 'HideBalance' -Type DWord -Value 1 | Out-Null
Write-Output "The Group Policy object $Name is ready; link it to the computers."
