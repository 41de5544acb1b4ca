package machine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/private"
	"github.com/platenprint/platen/printqueue/statedir"
)

// record is all that the computer keeps. It is written as a whole.
type record struct {
	V       int      `json:"v"`
	Machine Identity `json:"machine"`
	// Device is what the computer is; nil if it is none.
	Device *device `json:"device,omitempty"`
	// Next is an enrolment that was asked for and is not done; Device works until it is.
	Next *attempt `json:"next,omitempty"`
	// Spent is the hash of the policy's enrolment token that is done with: it stays where it is, and is not used again.
	Spent string `json:"spent,omitempty"`
}

const recordVersion = 1

// server is where a device listener is, and how it is known for the right one.
type server struct {
	Address string `json:"address"` // HOST:PORT
	Pin     string `json:"pin,omitempty"`
	CA      string `json:"ca,omitempty"` // PEM; "": the system's certificates
	// URL is what the computer's settings call the server; "": a person named the listener, or a token did.
	URL string `json:"url,omitempty"`
	// Trust is what the settings said of whom to believe when it was found by them (Wish.trust).
	Trust string `json:"trust,omitempty"`
}

// device is an enrolled computer.
type device struct {
	Server      server          `json:"server"`
	ID          string          `json:"id"`
	Key         string          `json:"key"`         // PEM, PKCS #8
	Certificate string          `json:"certificate"` // PEM, the device's first
	State       api.DeviceState `json:"state"`
	SeenAt      time.Time       `json:"seen_at"` // when State came
	Revoked     bool            `json:"revoked,omitempty"`
}

// attempt is an enrolment that is under way. Its key is kept, so that an answer that was lost can be asked for again.
type attempt struct {
	Server    server `json:"server"`
	Key       string `json:"key"`
	TokenHash string `json:"token_hash,omitempty"` // of the token's text, so that a new token gets a new key
	Pending   bool   `json:"pending,omitempty"`    // the server has it and waits for an administrator
	Second    bool   `json:"second,omitempty"`     // the server did not want the first key
	From      string `json:"from,omitempty"`       // who wants it: fromSettings, fromCopy; "": a person
	Wish      string `json:"wish,omitempty"`       // of fromSettings: which wish it is for (Wish.id)
}

// Who may want an enrolment. What the settings say counts more than where the computer that this one was copied from was
// enrolled, and less than what an administrator does by hand.
const (
	fromSettings = "settings"
	fromCopy     = "copy"
)

// load reads the record; an empty one if there is none.
func load(dir *private.Dir) (record, error) {
	text, err := dir.Read(statedir.DeviceFile)
	if errors.Is(err, fs.ErrNotExist) {
		return record{V: recordVersion}, nil
	}
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil || r.V != recordVersion { // its error may quote the key
		return record{}, fmt.Errorf("read %s in %s: it is not what this version of platen-deploy writes; "+
			"remove it and enrol the computer anew", statedir.DeviceFile, dir.Path())
	}
	return r, nil
}

func (r record) save(dir *private.Dir) error {
	text, err := json.Marshal(r)
	if err != nil {
		return errors.New("write the device's record: it cannot be written as JSON")
	}
	return dir.Write(statedir.DeviceFile, text)
}

// newKey makes a key.
func newKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

var errKey = errors.New("the key in the device's record cannot be read; enrol the computer anew")

func parseKey(text string) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errKey
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errKey
	}
	return private, nil
}

// request makes a certificate request, PEM. The server ignores its subject; the signature proves the key.
func request(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return "", fmt.Errorf("make a certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// fingerprint is the key's as the server shows it to the administrator: eight groups of four hexadecimal digits of the
// SHA-256 of the SubjectPublicKeyInfo. It is made here, of our key, so that comparing the two means something.
func fingerprint(key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = hex.EncodeToString(sum[2*i : 2*i+2])
	}
	return strings.Join(groups, "-")
}

// keyPair puts key and certificates together, and makes sure that they belong together.
func keyPair(key, certificates string) (*tls.Certificate, error) {
	private, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	pair := &tls.Certificate{PrivateKey: private}
	for rest := []byte(certificates); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		pair.Certificate = append(pair.Certificate, block.Bytes)
	}
	if len(pair.Certificate) == 0 {
		return nil, errors.New("the device's certificate cannot be read")
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return nil, fmt.Errorf("the device's certificate cannot be read: %w", err)
	}
	if public, ok := pair.Leaf.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(&private.PublicKey) {
		return nil, errors.New("the certificate is not for the device's key")
	}
	return pair, nil
}

// renewAt is when to ask for the next certificate: after two thirds of this one's life.
func renewAt(leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) * 2 / 3)
}

// sameState tells whether the server wants what it wanted.
func sameState(a, b api.DeviceState) bool {
	return a.DeviceID == b.DeviceID && a.Group == b.Group && a.Role == b.Role &&
		slices.Equal(a.AuthModes, b.AuthModes) && slices.Equal(a.SharedOSUsers, b.SharedOSUsers)
}
