// Package flatpkg writes flat packages of macOS (.pkg) anywhere, and reads them back. It knows nothing of Platen.
//
// A flat package is a xar archive (xar.go): a header, a table of contents in zlib-compressed XML with a checksum for
// everything, perhaps a signature, and a heap. The archive holds:
//
//	Distribution            what the installer shows and asks of the computer (xml.go)
//	IDENTIFIER.pkg/
//	    PackageInfo         identifier, place, scripts, bundles (xml.go)
//	    Bom                 the bill of materials, which becomes the receipt: path, mode, owner, size, checksum (bom.go)
//	    Payload             cpio (odc) in gzip: the files (cpio.go)
//	    Scripts             the same with preinstall and postinstall
//
// The same Package makes the same bytes: entries are sorted, dated with Package.Time, and owned by root and wheel.
//
// Sources: xar's format by github.com/mackyle/xar/wiki/xarformat; PackageInfo and Distribution by what pkgbuild(1) and
// productbuild(1) write and Apple's "Distribution Definition XML Reference"; the Bom by two public descriptions (bomutils'
// header, stuckliste's "BOM file format reference"), which agree where they overlap; cpio's by POSIX.1-2001 pax, "cpio
// Interchange Format". What only a Mac can show is in the project's release checklist.
package flatpkg
