package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/internal/emulator/scimclient"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/stage"
)

// What the group scim asks for.
const (
	scimRate    = 250 // requests a second that must be served; Entra asks for 25
	scimWorkers = 8   // connections
	scimPeople  = 2000
	scimFor     = 6 * time.Second // each part of a round
)

// scim measures a provider's requests against the program, over TLS: half of them look somebody up by userName, a fifth make somebody
// new, the rest change somebody. Every change is durable before it is answered, so the disk's fsyncs stand beside.
func (r *rig) scim(ctx context.Context) (err error) {
	p, err := newProvider(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.here.CleanUp()) }()
	began := time.Now()
	if rep := p.client.Cycle(ctx, scimclient.MakeUp(scimPeople)); rep.Err() != nil {
		return rep.Err()
	}
	fmt.Printf("  %-46s %.1f s\n", fmt.Sprintf("first cycle: %d people in a group, one by one", scimPeople), time.Since(began).Seconds())
	var syncs, most, busy, cpu []float64
	var times []time.Duration
	for range max(3, r.rounds) {
		n, err := fsyncs(p.here.Path("fsync"))
		if err != nil {
			return err
		}
		syncs = append(syncs, n)
		load, err := loadAverage()
		if err != nil {
			return err
		}
		busy = append(busy, load)
		paced, _, err := p.load(ctx, scimRate)
		if err != nil {
			return err
		}
		times = append(times, paced...)
		before, err := costOf(p.server.PID())
		if err != nil {
			return err
		}
		all, rate, err := p.load(ctx, 0)
		if err != nil {
			return err
		}
		after, err := costOf(p.server.PID())
		if err != nil {
			return err
		}
		most, cpu = append(most, rate), append(cpu, ms(after.cpu-before.cpu)/float64(len(all)))
	}
	quartiles("load average of the machine before each round", "%.1f", busy)
	quartiles("fsyncs a second of the disk, one writer", "%.0f", syncs)
	fmt.Printf("  %-46s p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms (n=%d)\n", fmt.Sprintf("answers at %d requests a second", scimRate),
		ms(quantile(times, 0.5)), ms(quantile(times, 0.95)), ms(quantile(times, 0.99)), ms(quantile(times, 1)), len(times))
	quartiles(fmt.Sprintf("the most: requests a second, %d connections", scimWorkers), "%.0f", most)
	quartiles("CPU time of the server for one of these, ms", "%.2f", cpu)
	goal(fmt.Sprintf(">= %d requests a second", scimRate), quantile(most, 0.5) >= scimRate, "%.0f", quantile(most, 0.5))
	goal("p99 <= 50 ms", quantile(times, 0.99) <= 50*time.Millisecond, "%.1f ms", ms(quantile(times, 0.99)))
	return nil
}

// provider is an identity provider, and the server it writes to.
type provider struct {
	here   *stage.Place
	server *stage.Program
	client *scimclient.Client
	o      scimclient.Options
	ids    []string // of people to change
	made   atomic.Int64
}

func newProvider(ctx context.Context) (p *provider, err error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	p = &provider{}
	if p.here, err = stage.NewPlace(bin, filepath.Join(".cache", "bench-logs")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = p.here.CleanUp()
		}
	}()
	who, err := stage.CurrentPerson()
	if err != nil {
		return nil, err
	}
	site, err := stage.NewSite(ctx, p.here, who, "")
	if err != nil {
		return nil, err
	}
	if _, err := site.Start(ctx); err != nil {
		return nil, err
	}
	p.server = site.Program
	text, err := site.Admin(ctx, "", "sync", "add", "scim", "--id", "entra", "--json")
	if err != nil {
		return nil, err
	}
	var added struct{ Token string }
	if err := json.Unmarshal([]byte(text), &added); err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	authority, err := os.ReadFile(filepath.Join(site.Data, "ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	p.o = scimclient.Options{
		URL: "https://" + site.Address + "/scim/v2", Token: secret.New(added.Token),
		HTTP: &http.Client{Timeout: time.Minute, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: scimWorkers,
		}},
	}
	p.client = scimclient.New(p.o)
	return p, nil
}

// load sends the mix for a while, at a rate or (0) as fast as answers come. Times of a rate count from when a request was due.
func (p *provider) load(ctx context.Context, rate int) (times []time.Duration, perSecond float64, err error) {
	if p.ids == nil {
		for _, one := range scimclient.MakeUp(scimPeople).People {
			p.ids = append(p.ids, p.client.ID(one.ID))
		}
	}
	began := time.Now()
	var mu sync.Mutex
	var next atomic.Int64
	var g errgroup.Group
	for range scimWorkers {
		g.Go(func() error {
			c := scimclient.New(p.o)
			var own []time.Duration
			for ctx.Err() == nil {
				due := time.Now()
				if n := next.Add(1) - 1; rate > 0 {
					due = began.Add(time.Duration(n) * time.Second / time.Duration(rate))
					if err := pause(ctx, max(0, time.Until(due))); err != nil {
						return err
					}
				}
				if due.Sub(began) >= scimFor {
					break
				}
				if err := p.one(ctx, c); err != nil {
					return err
				}
				own = append(own, time.Since(due))
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
			return nil
		})
	}
	err = g.Wait()
	return times, float64(len(times)) / time.Since(began).Seconds(), err
}

// one sends one request of the mix.
func (p *provider) one(ctx context.Context, c *scimclient.Client) error {
	i := rand.IntN(scimPeople)
	switch n := rand.IntN(10); {
	case n < 5:
		_, err := c.Do(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape(fmt.Sprintf(`userName eq "person%05d@example.org"`, i+1)), nil)
		return err
	case n < 7:
		name := fmt.Sprintf("new%07d@example.org", p.made.Add(1))
		_, err := c.Do(ctx, http.MethodPost, "/Users", map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name, "externalId": name, "displayName": "New", "active": true,
			"emails": []any{map[string]any{"type": "work", "value": name, "primary": true}},
		})
		return err
	default:
		_, err := c.Do(ctx, http.MethodPatch, "/Users/"+p.ids[i], map[string]any{
			"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []any{map[string]any{"op": "Replace", "path": "displayName", "value": fmt.Sprint("Person ", rand.Int64())}},
		})
		return err
	}
}

// loadAverage is how many processes wanted to run in the last minute (proc(5)).
func loadAverage() (load float64, err error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(text), &load)
	}
	return load, err
}

// fsyncs counts how often a block can be made durable in a second.
func fsyncs(path string) (perSecond float64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	block := make([]byte, 4096)
	began, n := time.Now(), 0
	for ; time.Since(began) < time.Second; n++ {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
