# Says whether Platen 1.2.3 or a newer version is installed. Run it as a 64-bit script.
$file = Join-Path $env:ProgramFiles 'Platen\platen.exe'
if (Test-Path -LiteralPath $file) {
  $v = (Get-Item -LiteralPath $file).VersionInfo
  $found = New-Object System.Version $v.FileMajorPart, $v.FileMinorPart, $v.FileBuildPart, $v.FilePrivatePart
  if ($found -ge [version]'1.2.3.0') { Write-Output "Platen $found" }
}
exit 0
