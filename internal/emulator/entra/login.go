package entra

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

func digits(n int) string { return strconv.Itoa(n) }

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// login takes the forms of the pages: "step" says which one it is.
func (e *Emulator) login(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("tx")
	e.mu.Lock()
	held := e.txs[id]
	var t tx
	if held != nil {
		t = *held
	}
	old := held != nil && e.nowLocked().Sub(held.at) > txLife
	e.mu.Unlock()
	if held == nil || old {
		e.showFailure(w, r, fail(50089))
		return
	}
	step, next := r.PostFormValue("step"), &t
	if r.PostFormValue("cancel") != "" {
		e.forget(id)
		if step == "consent" || step == "admin" {
			e.deny(w, r, next, fail(declined))
			return
		}
		e.deny(w, r, next, fail(wentBack))
		return
	}
	problem, f := e.take(r, step, next)
	if f != nil {
		e.forget(id)
		e.deny(w, r, next, f)
		return
	}
	e.mu.Lock()
	e.txs[id] = next
	e.mu.Unlock()
	if problem != "" {
		e.ask(w, r, id, next, step, problem)
		return
	}
	e.step(w, r, id, next)
}

func (e *Emulator) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.txs, id)
}

// take does one step with what was typed. problem is a sentence for the same page again; f ends the way.
func (e *Emulator) take(r *http.Request, step string, t *tx) (problem string, f *failure) {
	config := e.settings()
	switch step {
	case "account": // a name was typed, or one was picked
		return e.takeAccount(r, config, t)
	case "password":
		user, f := config.who(t.upn)
		if f == nil {
			f = e.checkPassword(user, r.PostFormValue("passwd"))
		}
		if f != nil {
			switch f.code {
			case 50126, 50056, 50034:
				return "Your account or password is incorrect.", nil
			case 50053:
				e.note(r, f)
				return "Your account is locked for now. Try again later.", nil
			case 50055:
				t.changed = false
			default:
				return "", f
			}
		}
		t.proven, t.fresh, t.mfa, t.authTime = true, true, false, e.now()
		return "", nil
	case "change":
		return e.takeNewPassword(r, config, t)
	case "mfa":
		return e.takeSecondFactor(r, config, t)
	case "register":
		t.mfa = true
		return "", e.editUser(t.upn, func(u *User) { u.MFA = MFARequired })
	case "consent":
		user, f := config.who(t.upn)
		if f != nil {
			return "", f
		}
		client, f := config.client(t.client)
		if f != nil {
			return "", f
		}
		e.mu.Lock()
		e.consents[consentKey(user, client)] = true
		e.mu.Unlock()
		t.consented = true
		return "", e.editUser(t.upn, func(u *User) { u.ConsentMissing = false })
	}
	return "", fail(9002313)
}

func (e *Emulator) editUser(upn string, change func(*User)) *failure {
	if err := e.UpdateUser(upn, change); err != nil {
		return failf(50034, "%v", err)
	}
	return nil
}

func (e *Emulator) takeAccount(r *http.Request, config Config, t *tx) (string, *failure) {
	if r.PostFormValue("other") != "" {
		t.upn, t.hint, t.proven, t.prompt = "", "", false, "login"
		return "", nil
	}
	name := strings.TrimSpace(r.PostFormValue("loginfmt"))
	user, f := config.who(name)
	if f != nil && f.code == 50128 {
		return "Enter a valid email address.", nil
	}
	if f != nil && f.code == 50034 {
		e.note(r, f)
		return "We couldn't find an account with that username.", nil
	}
	if f != nil {
		return "", f
	}
	s, ok := e.browser(r)
	t.proven = ok && r.PostFormValue("picked") != "" && strings.EqualFold(s.upn, user.UPN)
	if t.proven {
		t.mfa, t.authTime, t.sid = s.mfa, s.authTime, s.id
	}
	if t.prompt == "select_account" {
		t.prompt = "" // it is selected
	}
	t.upn = user.UPN
	return "", nil
}

func (e *Emulator) takeNewPassword(r *http.Request, config Config, t *tx) (string, *failure) {
	user, f := config.who(t.upn)
	if f != nil || !t.proven {
		return "", fail(9002313)
	}
	fresh := r.PostFormValue("newpasswd")
	switch {
	case r.PostFormValue("oldpasswd") != user.Password:
		return "Your current password is incorrect.", nil
	case len(fresh) < 8 || fresh == user.Password:
		return "Choose a password that's harder for people to guess.", nil
	case fresh != r.PostFormValue("confirmpasswd"):
		return "The passwords you entered don't match. Enter your new password again.", nil
	}
	t.changed = true
	return "", e.editUser(t.upn, func(u *User) { u.Password, u.MustChange, u.PasswordExpired = fresh, false, false })
}

func (e *Emulator) takeSecondFactor(r *http.Request, config Config, t *tx) (string, *failure) {
	user, f := config.who(t.upn)
	if f != nil || !t.proven {
		return "", fail(9002313)
	}
	typed := strings.TrimSpace(r.PostFormValue("otc"))
	switch {
	case r.PostFormValue("approve") != "":
	case !sixDigits.MatchString(typed):
		return "Please enter the 6-digit code. The code only contains numbers.", nil
	case typed != user.Code:
		return "You didn't enter the expected verification code. Please try again.", nil
	}
	t.mfa, t.fresh = true, true
	return "", nil
}

// step shows the next page, or ends the way.
func (e *Emulator) step(w http.ResponseWriter, r *http.Request, id string, t *tx) {
	config := e.settings()
	client, f := config.client(t.client)
	if f != nil {
		e.deny(w, r, t, f)
		return
	}
	if !t.proven {
		e.askWho(w, r, id, t)
		return
	}
	user, f := config.who(t.upn)
	if f == nil {
		f = accountState(user)
	}
	if f != nil && f.code == 50055 || f == nil && user.MustChange {
		e.ask(w, r, id, t, "change", "")
		return
	}
	if f == nil {
		f = checkAccess(user, client)
	}
	if f != nil {
		e.forget(id)
		e.deny(w, r, t, f)
		return
	}
	if f := checkMFA(user, t.mfa); f != nil {
		switch f.code {
		case 50076:
			e.ask(w, r, id, t, "mfa", "")
		case 50079:
			e.ask(w, r, id, t, "register", "")
		default:
			e.forget(id)
			e.deny(w, r, t, f)
		}
		return
	}
	if f := e.checkConsent(user, client); f != nil || t.prompt == "consent" && !t.consented {
		if f != nil && f.code == 90094 {
			e.ask(w, r, id, t, "admin", "")
			return
		}
		e.ask(w, r, id, t, "consent", "")
		return
	}
	e.finish(w, r, id, t, user)
}

// askWho asks for the account, or for the password if the account is known.
func (e *Emulator) askWho(w http.ResponseWriter, r *http.Request, id string, t *tx) {
	if t.prompt == "select_account" {
		if s, ok := e.browser(r); ok {
			e.showPicker(w, r, id, t, s.upn)
			return
		}
	}
	if t.upn == "" && t.hint != "" && t.prompt != "select_account" {
		config := e.settings()
		if user, f := config.who(t.hint); f == nil {
			t.upn = user.UPN
			e.mu.Lock()
			e.txs[id] = t
			e.mu.Unlock()
		}
	}
	if t.upn == "" || t.prompt == "select_account" {
		e.ask(w, r, id, t, "account", "")
		return
	}
	e.ask(w, r, id, t, "password", "")
}
