package entra

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// device is a device code that waits for its person.
type device struct {
	grant
	userCode string
	at       time.Time
	approved bool
	failed   *failure
}

const deviceLife = 15 * time.Minute

func (e *Emulator) deviceCode(w http.ResponseWriter, r *http.Request) {
	if f := e.tenantOf(r); f != nil {
		e.failJSON(w, r, f)
		return
	}
	config := e.settings()
	client, f := config.client(r.PostFormValue("client_id"))
	var scope asked
	if f == nil {
		scope, f = config.parseScope(r.PostFormValue("scope"))
	}
	if f == nil && !client.PublicFlows && client.Secret == "" {
		f = fail(7000218)
	}
	if f != nil {
		e.failJSON(w, r, f)
		return
	}
	id, userCode := newSecret("D"), newUserCode()
	e.mu.Lock()
	e.devices[id] = &device{grant: grant{client: client.ID, scope: scope}, userCode: userCode, at: e.nowLocked()}
	e.mu.Unlock()
	page := e.base(r) + "/devicelogin"
	writeJSON(w, http.StatusOK, map[string]any{
		"user_code": userCode, "device_code": id, "verification_uri": page, "expires_in": int(deviceLife.Seconds()), "interval": 5,
		"message": fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", page, userCode),
	})
}

func newUserCode() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	var b strings.Builder
	for range 9 {
		i, _ := rand.Int(rand.Reader, big.NewInt(int64(len(letters)))) // never fails
		b.WriteByte(letters[i.Int64()])
	}
	return b.String()
}

// pollDevice is the device code grant.
func (e *Emulator) pollDevice(form url.Values, client App, proven bool) (grant, *failure) {
	if !client.PublicFlows && !proven {
		return grant{}, fail(7000218)
	}
	id := form.Get("device_code")
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.devices[id]
	switch {
	case d == nil || d.client != client.ID:
		return grant{}, fail(9002313)
	case e.nowLocked().Sub(d.at) > deviceLife:
		return grant{}, fail(70019)
	case d.failed != nil:
		return grant{}, d.failed
	case !d.approved:
		return grant{}, fail(70016)
	}
	delete(e.devices, id)
	return d.grant, nil
}

// deviceLogin is the page where a person types the code of a device, and then signs in.
func (e *Emulator) deviceLogin(w http.ResponseWriter, r *http.Request) {
	text := strings.ToUpper(strings.TrimSpace(r.PostFormValue("otc")))
	if r.Method != http.MethodPost {
		e.show(w, r, page{Kind: "device", Title: "Enter code"})
		return
	}
	e.mu.Lock()
	var found *device
	var id string
	for key, d := range e.devices {
		if d.userCode == text && !d.approved && e.nowLocked().Sub(d.at) <= deviceLife {
			found, id = d, key
		}
	}
	e.mu.Unlock()
	if found == nil {
		e.show(w, r, page{Kind: "device", Title: "Enter code", Problem: "That code didn't work. Check the code and try again."})
		return
	}
	t := &tx{client: found.client, scope: found.scope, device: id, at: e.now()}
	e.step(w, r, e.begin(t), t)
}
