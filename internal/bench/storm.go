package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/server-stub/admin"
)

// stormPeople is how many people the computers vouch for.
const stormPeople = 500

// computer is an enrolled computer of the storm.
type computer struct {
	id, machine string
	key         *ecdsa.PrivateKey
	cert        tls.Certificate
	http        *http.Client
}

// storm enrols computers and then lets all of them come back at the same moment, as when the server was away: each makes a
// connection, vouches for its person and redeems the code. Meanwhile somebody else asks for their balance again and again.
func (r *rig) storm(ctx context.Context) error {
	s := &storm{rig: r, admin: admin.NewClient(r.site.Data)}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	calm, err := s.others(ctx, func(ctx context.Context) error { return pause(ctx, 10*time.Second) })
	if err != nil {
		return err
	}
	var took []time.Duration
	began := time.Now()
	busy, err := s.others(ctx, func(ctx context.Context) (err error) {
		if err := humble(); err != nil {
			return err
		}
		took, err = s.comeBack(ctx)
		return err
	})
	if err != nil {
		return err
	}
	drained := time.Since(began)
	fmt.Printf("  %d computers at once, each: connection, nonce, assertion, session; on the same cores, at a lower priority\n", len(took))
	fmt.Printf("  %-46s p50 %.1f s, p99 %.1f s, max %.1f s\n", "reconnecting to a session", quantile(took, 0.5).Seconds(), quantile(took, 0.99).Seconds(), quantile(took, 1).Seconds())
	for _, x := range []struct {
		when  string
		times []time.Duration
	}{{"before", calm}, {"meanwhile", busy}} {
		fmt.Printf("  %-46s p50 %.1f ms, p90 %.1f ms, p99 %.1f ms (n=%d)\n", "somebody else's balance, "+x.when,
			ms(quantile(x.times, 0.5)), ms(quantile(x.times, 0.9)), ms(quantile(x.times, 0.99)), len(x.times))
	}
	goal("5,000 clients reconnecting drain <= 60 s", drained <= time.Minute, "%.1f s", drained.Seconds())
	ratio := float64(quantile(busy, 0.99)) / float64(quantile(calm, 0.99))
	goal("p99 of others <= 2x", ratio <= 2, "%.1f", ratio)
	return nil
}

// storm is what the group works with.
type storm struct {
	*rig
	admin     *admin.Client
	roots     *x509.CertPool
	token     api.EnrolmentToken
	computers []*computer
	access    string
}

func (s *storm) prepare(ctx context.Context) error {
	ca, err := os.ReadFile(filepath.Join(s.site.Data, "ca.pem"))
	if err != nil {
		return err
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(ca)
	for i := range stormPeople {
		if err := s.admin.Call(ctx, admin.VerbUserAdd, admin.UserAdd{Username: stormPerson(i)}, &admin.UserDetails{}, nil); err != nil {
			return err
		}
	}
	var created admin.EnrolmentToken
	if err := s.admin.Call(ctx, admin.VerbEnrolmentCreate, admin.EnrolmentCreate{Uses: s.machines}, &created, nil); err != nil {
		return err
	}
	if s.token, err = api.ParseEnrolmentToken(created.Token); err != nil {
		return err
	}
	began := time.Now()
	s.computers = make([]*computer, s.machines)
	if err := each(s.machines, 16, func(i int) (err error) {
		s.computers[i], err = s.enrol(ctx, i)
		return err
	}); err != nil {
		return err
	}
	fmt.Printf("  %d computers enrolled in %.1f s\n", s.machines, time.Since(began).Seconds())
	var session api.Session
	if err := s.post(ctx, s.client(nil, nil), s.site.Address, api.PathSessions, api.SignIn{Username: s.who.UPN, Password: stage.Password}, &session); err != nil {
		return err
	}
	s.access = session.AccessToken
	return nil
}

func stormPerson(i int) string { return fmt.Sprintf("storm%04d@example.org", i%stormPeople) }

// each runs fn for all numbers below n, so many at a time.
func each(n, width int, fn func(i int) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, width)
	for w := range width {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[w] == nil; i = int(next.Add(1)) - 1 {
				errs[w] = fn(i)
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// client comes from an address of its own, as every computer does, and shows a certificate if it has one.
func (s *storm) client(cert *tls.Certificate, from net.IP) *http.Client {
	dialer := &net.Dialer{Timeout: time.Minute}
	if from != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: from}
	}
	config := &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	return &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: time.Minute}}
}

func (s *storm) post(ctx context.Context, c *http.Client, address, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return answer(c, req, out)
}

func answer(c *http.Client, req *http.Request, out any) error {
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is answered %s: %s", req.URL.Path, resp.Status, text)
	}
	return json.Unmarshal(text, out)
}

func (s *storm) enrol(ctx context.Context, i int) (*computer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	c := &computer{key: key, machine: fmt.Sprintf("storm-machine-%05d", i)}
	from := net.IPv4(127, 1, byte(i>>8), byte(i))
	plain := s.client(nil, from)
	defer plain.CloseIdleConnections()
	var e api.Enrolled
	if err := s.post(ctx, plain, s.token.Address, api.PathDeviceEnrol, api.Enrolment{
		Token: s.token.Secret.Reveal(), CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		Machine: api.MachineID{ID: c.machine}, Report: api.DeviceReport{Hostname: fmt.Sprintf("storm%05d", i)},
	}, &e); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(e.Certificate))
	if block == nil {
		return nil, errors.New("the server gives no certificate")
	}
	c.id, c.cert = e.DeviceID, tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
	c.http = s.client(&c.cert, from)
	return c, nil
}

// comeBack lets all computers come at once and tells how long each took to have a session.
func (s *storm) comeBack(ctx context.Context) ([]time.Duration, error) {
	took, errs := make([]time.Duration, len(s.computers)), make([]error, len(s.computers))
	var all sync.WaitGroup
	began := time.Now()
	for i, c := range s.computers {
		all.Go(func() {
			errs[i] = s.signIn(ctx, c, stormPerson(i))
			took[i] = time.Since(began)
			c.http.CloseIdleConnections()
		})
	}
	all.Wait()
	var failed []error
	for _, err := range errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("%d of %d computers got no session: %w", len(failed), len(errs), errors.Join(failed[:min(3, len(failed))]...))
	}
	return took, nil
}

func (s *storm) signIn(ctx context.Context, c *computer, person string) error {
	var nonce api.Nonce
	if err := s.post(ctx, c.http, s.token.Address, api.PathDeviceNonce, struct{}{}, &nonce); err != nil {
		return err
	}
	verifier := rand.Text() + rand.Text()
	body, err := json.Marshal(api.AssertionBody{
		Version: 1, Device: c.id, MachineID: c.machine, OSAccount: api.OSAccount{Kind: "azuread", Domain: "AzureAD", Name: "storm", UPN: person},
		Challenge: api.Challenge(verifier), Nonce: nonce.Nonce, IssuedAt: nonce.Expires.Add(-api.NonceLife), ExpiresAt: nonce.Expires,
	})
	if err != nil {
		return err
	}
	digest := api.AssertionDigest(body)
	signature, err := ecdsa.SignASN1(rand.Reader, c.key, digest[:])
	if err != nil {
		return err
	}
	var code api.TrustCode
	if err := s.post(ctx, c.http, s.token.Address, api.PathDeviceAssertion, api.Assertion{Body: body, Signature: signature}, &code); err != nil {
		return err
	}
	var session api.Session
	return s.post(ctx, c.http, s.site.Address, api.PathSessionCode, api.CodeSignIn{Code: code.Code, Verifier: verifier, Client: "platen-bench"}, &session)
}

// others asks for somebody's balance, twenty times a second, as long as meanwhile runs, and tells how long each took. It does so
// in a process of its own: within ours it would wait for the computers' turns.
func (s *storm) others(ctx context.Context, meanwhile func(context.Context) error) ([]time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), othersEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	answers := json.NewDecoder(out)
	var connected bool
	err = json.NewEncoder(in).Encode(someone{URL: "https://" + s.site.Address + api.PathBalance, CA: filepath.Join(s.site.Data, "ca.pem"), Access: s.access})
	if err == nil {
		err = answers.Decode(&connected)
	}
	if err == nil {
		err = meanwhile(ctx)
	}
	err = errors.Join(err, in.Close())
	var times []time.Duration
	if err == nil {
		err = answers.Decode(&times)
	}
	return times, errors.Join(err, cmd.Wait())
}

// othersEnv makes this program somebody else.
const othersEnv = "PLATEN_BENCH_SOMEONE"

// someone is whose balance is asked for.
type someone struct{ URL, CA, Access string }

// beSomeone asks for a balance until the standard input ends, and writes how long each answer took.
func beSomeone(ctx context.Context) error {
	in := json.NewDecoder(os.Stdin)
	var who someone
	if err := in.Decode(&who); err != nil {
		return err
	}
	ca, err := os.ReadFile(who.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	ask := func() (time.Duration, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, who.URL, nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+who.Access)
		began := time.Now()
		err = answer(client, req, &api.Balance{})
		return time.Since(began), err
	}
	if _, err := ask(); err != nil { // makes the connection, which stays
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(true); err != nil {
		return err
	}
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		_ = in.Decode(&someone{}) // until it ends
	}()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	times := []time.Duration{}
	for {
		select {
		case <-stop:
			return out.Encode(times)
		case <-ticker.C:
		}
		took, err := ask()
		if err != nil {
			return err
		}
		times = append(times, took)
	}
}
