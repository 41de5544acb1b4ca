#!/bin/sh
# Builds Platen's package on a Mac, signs it and has it notarised. docs/deploy/mac-build.md explains every step.
#
#	installer/macos/build-on-mac.sh VERSION [FOLDER]
#
# VERSION is as in 1.2.3 or 1.2.3-rc.1; the package is put into FOLDER (dist). Environment:
#
#	PLATEN_MAC_APPLICATION  identity that signs programs: "Developer ID Application: NAME (TEAM)". Without it they are signed
#	                        ad hoc, which is for trying on this Mac only.
#	PLATEN_MAC_INSTALLER    identity that signs the package: "Developer ID Installer: NAME (TEAM)". Without it it is not signed.
#	PLATEN_MAC_NOTARY       profile that "xcrun notarytool store-credentials" has saved. Without it nothing is sent to Apple.
#	SOURCE_DATE_EPOCH       what the package is dated with; the last commit's time if it is not set
#
# No key and no password is an argument or is printed: all of them stay in the keychain.
set -eu

say() { printf '\n== %s\n' "$1"; }
stop() {
	echo "build-on-mac: $1" >&2
	exit 1
}

[ $# -ge 1 ] && [ $# -le 2 ] || stop 'say the version: installer/macos/build-on-mac.sh 1.2.3 [FOLDER]'
version=$1
out=${2:-dist}
[ "$(uname -s)" = Darwin ] || stop 'this runs on a Mac: the tray icon and the window need frameworks of Apple'
cd "$(dirname "$0")/../.."
command -v go >/dev/null || stop 'Go is missing: https://go.dev/dl/'
xcrun --find clang >/dev/null 2>&1 || stop 'the command line tools are missing: xcode-select --install'
application=${PLATEN_MAC_APPLICATION:--}
installer=${PLATEN_MAC_INSTALLER:-}
notary=${PLATEN_MAC_NOTARY:-}
if [ -n "$notary" ] && { [ "$application" = - ] || [ -z "$installer" ]; }; then
	stop 'Apple notarises what is signed only: set PLATEN_MAC_APPLICATION and PLATEN_MAC_INSTALLER'
fi
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) || stop 'set SOURCE_DATE_EPOCH: git does not say when the sources are from'
fi
export SOURCE_DATE_EPOCH
# The oldest macOS that Go's programs run on; C code is compiled for the same.
export MACOSX_DEPLOYMENT_TARGET=12.0
work=.cache/mac
rm -rf "$work"
mkdir -p "$work/amd64" "$work/arm64"

flags="-s -w -buildid= -X github.com/platenprint/platen/internal/buildinfo.Version=$version"
for arch in amd64 arm64; do
	case $arch in
	amd64) apple=x86_64 ;;
	arm64) apple=arm64 ;;
	esac
	say "build for $apple"
	export GOOS=darwin GOARCH=$arch CC="clang -arch $apple" CXX="clang++ -arch $apple"
	CGO_ENABLED=1 go build -mod=readonly -trimpath -buildvcs=false -ldflags "$flags" -o "$work/$arch/platen" ./client
	CGO_ENABLED=1 go build -mod=readonly -trimpath -buildvcs=false -tags no_emoji,migrated_fynedo -ldflags "$flags" -o "$work/$arch/platen-window" ./tray
	CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags "$flags" -o "$work/$arch/platen-deploy" ./printqueue
done
unset GOOS GOARCH CC CXX

say 'join the programs and make Platen.app'
staged=$work/staged
notices=$work/notices.txt
go run ./installer/macos/macpkg notices -programs "$work" -to "$notices"
go run ./installer/macos/macpkg stage -version "$version" -programs "$work" -notices "$notices" -to "$staged"
xattr -cr "$staged"

say 'sign the programs'
stamp=--timestamp
[ "$application" != - ] || stamp=--timestamp=none
codesign --force "$stamp" --options runtime --identifier org.platenprint.deploy --sign "$application" "$staged/platen-deploy"
codesign --force "$stamp" --options runtime --identifier org.platenprint.platen.window --sign "$application" \
	"$staged/Platen.app/Contents/MacOS/platen-window"
codesign --force "$stamp" --options runtime --identifier org.platenprint.platen --sign "$application" "$staged/Platen.app"
codesign --verify --strict --verbose=2 "$staged/platen-deploy"
codesign --verify --strict --deep --verbose=2 "$staged/Platen.app"

say 'make the package'
plain=$work/package
package=$(go run ./installer/macos/macpkg package -version "$version" -staged "$staged" -notices "$notices" -out "$plain")
name=$(basename "$package")
mkdir -p "$out"
if [ -n "$installer" ]; then
	say 'sign the package'
	productsign --timestamp --sign "$installer" "$package" "$out/$name"
	pkgutil --check-signature "$out/$name"
else
	cp "$package" "$out/$name"
fi

if [ -n "$notary" ]; then
	say 'have it notarised (Apple needs some minutes)'
	xcrun notarytool submit "$out/$name" --keychain-profile "$notary" --wait
	xcrun stapler staple "$out/$name"
	spctl --assess --verbose=2 --type install "$out/$name"
fi

say 'what is in it'
expanded=$work/expanded
pkgutil --expand-full "$out/$name" "$expanded"
lsbom "$expanded"/org.platenprint.platen.pkg/Bom
cmp "$expanded/org.platenprint.platen.pkg/Payload/Library/Application Support/Platen/bin/platen-deploy" "$staged/platen-deploy"
shasum -a 256 "$out/$name"
