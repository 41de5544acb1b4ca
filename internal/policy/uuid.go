package policy

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 section 5.5 defines version 5 by it; nothing depends on its strength
	"fmt"
)

// namespace is what the identifiers of this package are derived from (RFC 9562 section 5.5); changing it changes them all.
const namespace = "b1f2f3c8-6c5e-4c0f-9a55-7a1c6a0d4e31"

// uuid is the same for the same name.
func uuid(name string) string {
	sum := sha1.Sum([]byte(namespace + "\x00" + name)) //nolint:gosec // see above
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
