package sign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
)

// Windows signs programs and MSIs for Windows (Authenticode).
type Windows struct {
	files     keyFiles
	timestamp string
}

// Tool is the program that signs.
func (*Windows) Tool() string { return "osslsigncode" }

// Timestamped tells whether a time-stamp authority vouches for the time of signing: then a signature outlives its
// certificate, and two builds are not the same bytes.
func (w *Windows) Timestamped() bool { return w.timestamp != "" }

// Sign signs the program or MSI at path, in its place. Without a time-stamp authority the signature is dated with the release,
// and the same file and an RSA key make the same bytes.
func (w *Windows) Sign(ctx context.Context, path string, r product.Release) error {
	signed := path + ".signed"
	args := []string{"sign", "-h", "sha256", "-n", product.Name, "-i", product.Homepage}
	if w.files.p12 != "" {
		args = append(args, "-pkcs12", w.files.p12)
	} else {
		args = append(args, "-certs", w.files.cert, "-key", w.files.key)
	}
	if w.files.password != "" {
		args = append(args, "-readpass", w.files.password)
	}
	if w.timestamp != "" {
		args = append(args, "-ts", w.timestamp)
	} else {
		args = append(args, "-time", strconv.FormatInt(r.Epoch(), 10))
	}
	if _, err := tool.Run(ctx, "", nil, w.Tool(), append(args, "-in", path, "-out", signed)...); err != nil {
		if rm := os.Remove(signed); rm != nil && !errors.Is(rm, os.ErrNotExist) {
			err = errors.Join(err, rm)
		}
		return fmt.Errorf("sign %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("sign %s: %w", path, err)
	}
	return errors.Join(os.Chmod(signed, info.Mode().Perm()), os.Rename(signed, path), os.Chtimes(path, r.Time, r.Time))
}
