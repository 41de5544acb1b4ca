package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// deviceOf is a device with every field set.
func deviceOf(id string) core.Device {
	return core.Device{
		ID: id, Group: "lab", Status: core.DeviceEnrolled, MachineID: "machine-" + id, HardwareID: "hardware-" + id,
		KeyHash: [32]byte{7, id[0]}, Hostname: "pc-" + id, Platform: "linux/amd64", Version: "1.0.0", JoinDomain: "CORP",
		JoinRealm: "corp.example.org", LastError: "none", Address: "192.0.2.7", TokenID: "token", CreatedAt: day,
		EnrolledAt: day.Add(time.Second), LastSeenAt: day.Add(time.Minute), RevokedAt: day.Add(time.Hour),
	}
}

func tokenOf(id string) core.EnrolmentToken {
	return core.EnrolmentToken{
		ID: id, SecretHash: [32]byte{3, id[0]}, Group: "lab", Networks: "10.0.0.0/8,fd00::/8", Campaign: true, Uses: 0, Used: 4,
		PerHour: 10, HourFrom: day, HourUsed: 2, CreatedAt: day, CreatedBy: "admin", ExpiresAt: day.Add(time.Hour),
		RevokedAt: day.Add(2 * time.Hour), LastUsedAt: day.Add(time.Minute), Description: "lab 3",
	}
}

var deviceTests = []test{
	{"every field comes back, by id, by key and by hardware", func(t *testing.T, s store.Store) {
		want := deviceOf("a")
		check := func() {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				byID, err1 := tx.Device(t.Context(), want.ID)
				byKey, err2 := tx.DeviceByKey(t.Context(), want.KeyHash)
				same, err3 := tx.DevicesByHardware(t.Context(), want.HardwareID)
				list, err4 := tx.Devices(t.Context())
				if diff := cmp.Diff([][]core.Device{{want, want}, {want}, {want}}, [][]core.Device{{byID, byKey}, same, list}); diff != "" {
					t.Errorf("devices (-want +got):\n%s", diff)
				}
				return errors.Join(err1, err2, err3, err4)
			})
		}
		update(t, s, func(tx store.Tx) error { return tx.CreateDevice(t.Context(), want) })
		check()
		created := want.CreatedAt
		want = deviceOf("b")
		want.ID, want.CreatedAt = "a", created
		update(t, s, func(tx store.Tx) error { return tx.UpdateDevice(t.Context(), want) })
		check()
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateDevice(t.Context(), deviceOf("z")) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("UpdateDevice of nobody = %v, want core.ErrNotFound", err)
		}
	}},
	{"two machines never share a key, and any number have none", func(t *testing.T, s store.Store) {
		a, b := deviceOf("a"), deviceOf("b")
		b.KeyHash = a.KeyHash
		update(t, s, func(tx store.Tx) error { return tx.CreateDevice(t.Context(), a) })
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.CreateDevice(t.Context(), b) })
		if !errors.Is(err, core.ErrConflict) {
			t.Errorf("CreateDevice with the key of another = %v, want core.ErrConflict", err)
		}
		b.KeyHash = [32]byte{}
		c := deviceOf("c")
		c.KeyHash, c.HardwareID = [32]byte{}, ""
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateDevice(t.Context(), b), tx.CreateDevice(t.Context(), c))
		})
		view(t, s, func(tx store.Tx) error {
			if list, err := tx.DevicesByHardware(t.Context(), ""); err != nil || len(list) != 0 {
				t.Errorf("DevicesByHardware of no hardware = %v, %v", list, err)
			}
			if n, err := tx.CountDevices(t.Context(), core.DeviceEnrolled); err != nil || n != 3 {
				t.Errorf("CountDevices = %d, %v", n, err)
			}
			if _, err := tx.DeviceByKey(t.Context(), [32]byte{}); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("DeviceByKey of no key = %v", err)
			}
			return nil
		})
	}},
	{"certificates are kept, revoked but for one, and forgotten with their device", func(t *testing.T, s store.Store) {
		d := deviceOf("a")
		u := newUser(t, s, "alex")
		cert := func(serial string, at time.Time) core.DeviceCertificate {
			return core.DeviceCertificate{Serial: serial, DeviceID: "a", KeyHash: d.KeyHash, IssuedAt: at, ExpiresAt: at.Add(time.Hour)}
		}
		one, two := cert("01", day), cert("02", day.Add(time.Minute))
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateDevice(t.Context(), d), tx.CreateDeviceCertificate(t.Context(), one), tx.CreateDeviceCertificate(t.Context(), two),
				tx.PutDeviceUser(t.Context(), core.DeviceUser{DeviceID: "a", UserID: u.ID, FirstAt: day, LastAt: day}))
		})
		update(t, s, func(tx store.Tx) error {
			n, err := tx.RevokeDeviceCertificates(t.Context(), "a", "02", "renewed", day.Add(time.Hour))
			if n != 1 {
				t.Errorf("RevokeDeviceCertificates = %d, want 1", n)
			}
			return err
		})
		one.RevokedAt, one.Reason = day.Add(time.Hour), "renewed"
		view(t, s, func(tx store.Tx) error {
			got, err := tx.DeviceCertificate(t.Context(), "01")
			list, err2 := tx.DeviceCertificates(t.Context(), "a")
			ofKey, err3 := tx.CertificatesByKey(t.Context(), d.KeyHash)
			if diff := cmp.Diff([][]core.DeviceCertificate{{one}, {two, one}, {two, one}}, [][]core.DeviceCertificate{{got}, list, ofKey}); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
			return errors.Join(err, err2, err3)
		})
		update(t, s, func(tx store.Tx) error { return tx.DeleteDevice(t.Context(), "a") })
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.DeviceCertificate(t.Context(), "01"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("the certificate of a forgotten device: %v", err)
			}
			return nil
		})
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteDevice(t.Context(), "a") }); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("DeleteDevice of nobody = %v", err)
		}
	}},
	{"whom a device vouched for", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		put := func(u core.User, at time.Time) {
			update(t, s, func(tx store.Tx) error {
				return tx.PutDeviceUser(t.Context(), core.DeviceUser{DeviceID: "a", UserID: u.ID, FirstAt: at, LastAt: at})
			})
		}
		update(t, s, func(tx store.Tx) error { return tx.CreateDevice(t.Context(), deviceOf("a")) })
		put(alex, day)
		put(bea, day.Add(time.Minute))
		put(alex, day.Add(time.Hour))
		list := func(since time.Time) (got []core.DeviceUser) {
			view(t, s, func(tx store.Tx) (err error) {
				got, err = tx.DeviceUsers(t.Context(), "a", since)
				return err
			})
			return got
		}
		wantAlex := core.DeviceUser{DeviceID: "a", UserID: alex.ID, FirstAt: day, LastAt: day.Add(time.Hour)}
		wantBea := core.DeviceUser{DeviceID: "a", UserID: bea.ID, FirstAt: day.Add(time.Minute), LastAt: day.Add(time.Minute)}
		if diff := cmp.Diff([]core.DeviceUser{wantAlex, wantBea}, list(time.Time{})); diff != "" {
			t.Errorf("DeviceUsers (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]core.DeviceUser{wantAlex}, list(day.Add(time.Minute))); diff != "" {
			t.Errorf("DeviceUsers since (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteDeviceUsersBefore(t.Context(), day.Add(time.Hour))
			if n != 1 {
				t.Errorf("DeleteDeviceUsersBefore = %d, want 1", n)
			}
			return err
		})
	}},
	{"the sessions a device vouched for end, and no others", func(t *testing.T, s store.Store) {
		alex := newUser(t, s, "alex")
		of := func(id, device string) core.Session {
			x := sessionOf(alex, id)
			x.Device = device
			return x
		}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateSession(t.Context(), of("a", "dev1")), tx.CreateSession(t.Context(), of("b", "dev2")), tx.CreateSession(t.Context(), of("c", "")))
		})
		for device, want := range map[string]int{"dev1": 1, "": 0, "dev3": 0} {
			view(t, s, func(tx store.Tx) error {
				list, err := tx.DeviceSessions(t.Context(), device, day)
				if len(list) != want || want == 1 && list[0].ID != "a" {
					t.Errorf("DeviceSessions(%q) = %v, want %d", device, list, want)
				}
				return err
			})
			update(t, s, func(tx store.Tx) error {
				n, err := tx.RevokeDeviceSessions(t.Context(), device, day)
				if n != want {
					t.Errorf("RevokeDeviceSessions(%q) = %d, want %d", device, n, want)
				}
				return err
			})
		}
	}},
	{"enrolment tokens are found by their secret and used", func(t *testing.T, s store.Store) {
		want := tokenOf("a")
		update(t, s, func(tx store.Tx) error { return tx.CreateEnrolmentToken(t.Context(), want) })
		want.Used, want.HourFrom, want.HourUsed, want.LastUsedAt, want.RevokedAt = 9, day.Add(time.Hour), 1, day.Add(3*time.Hour), time.Time{}
		update(t, s, func(tx store.Tx) error { return tx.UpdateEnrolmentToken(t.Context(), want) })
		view(t, s, func(tx store.Tx) error {
			a, err1 := tx.EnrolmentToken(t.Context(), "a")
			b, err2 := tx.EnrolmentTokenBySecret(t.Context(), want.SecretHash)
			list, err3 := tx.EnrolmentTokens(t.Context())
			if diff := cmp.Diff([][]core.EnrolmentToken{{want, want}, {want}}, [][]core.EnrolmentToken{{a, b}, list}); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
			return errors.Join(err1, err2, err3)
		})
		oneTime := tokenOf("b")
		oneTime.Campaign, oneTime.Uses, oneTime.Used = false, 1, 2
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.CreateEnrolmentToken(t.Context(), oneTime) }); err == nil {
			t.Error("the database took a token that was used too often")
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteEnrolmentTokensBefore(t.Context(), day.Add(2*time.Hour))
			if n != 1 {
				t.Errorf("DeleteEnrolmentTokensBefore = %d, want 1", n)
			}
			return err
		})
	}},
	{"a nonce is fresh once", func(t *testing.T, s store.Store) {
		for i, want := range []bool{true, false, false} {
			update(t, s, func(tx store.Tx) error {
				fresh, err := tx.UseNonce(t.Context(), [32]byte{1}, day)
				if fresh != want {
					t.Errorf("use %d: fresh %v", i, fresh)
				}
				return err
			})
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteNoncesBefore(t.Context(), day.Add(time.Second))
			if n != 1 {
				t.Errorf("DeleteNoncesBefore = %d, want 1", n)
			}
			return err
		})
	}},
	{"a code comes back once, to one of many", func(t *testing.T, s store.Store) {
		alex := newUser(t, s, "alex")
		want := core.OneUseCode{
			Hash: [32]byte{1}, Challenge: "challenge", UserID: alex.ID, Assurance: core.AssuranceMachine, Provider: "entra", DeviceID: "dev",
			Host: "pc1", Facts: `{"name":"alex"}`, Stay: true, CreatedAt: day, ExpiresAt: day.Add(time.Minute),
		}
		update(t, s, func(tx store.Tx) error { return tx.CreateCode(t.Context(), want) })
		var mu sync.Mutex
		var got []core.OneUseCode
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				var c core.OneUseCode
				err := s.Update(t.Context(), func(tx store.Tx) (err error) {
					c, err = tx.TakeCode(t.Context(), want.Hash)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got = append(got, c)
				case !errors.Is(err, core.ErrNotFound):
					t.Errorf("TakeCode = %v, want core.ErrNotFound", err)
				}
			})
		}
		wg.Wait()
		if diff := cmp.Diff([]core.OneUseCode{want}, got); diff != "" {
			t.Errorf("taken codes (-want +got):\n%s", diff)
		}
		other := want
		other.Hash = [32]byte{2}
		update(t, s, func(tx store.Tx) error { return tx.CreateCode(t.Context(), other) })
		for _, tt := range []struct {
			before time.Time
			want   int
		}{{other.ExpiresAt, 0}, {other.ExpiresAt.Add(time.Second), 1}} {
			update(t, s, func(tx store.Tx) error {
				n, err := tx.DeleteCodesBefore(t.Context(), tt.before)
				if n != tt.want {
					t.Errorf("DeleteCodesBefore = %d, want %d", n, tt.want)
				}
				return err
			})
		}
	}},
}
