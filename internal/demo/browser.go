package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/internal/sysexec"
)

// browser is a Chromium without a window, in which the demo does what a person would do.
type browser struct {
	ctx   context.Context
	close func()
}

// openBrowser starts one with a profile in the throwaway folder. It trusts the certificate of the emulator beside those
// that the system trusts.
func openBrowser(ctx context.Context, here *stage.Place, trusted *x509.Certificate) (*browser, error) {
	program, err := sysexec.Find("chromium")
	if err != nil {
		return nil, err
	}
	pin := sha256.Sum256(trusted.RawSubjectPublicKeyInfo)
	allocator, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(here.Path("chromium")), chromedp.NoSandbox, chromedp.WindowSize(900, 640),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])), chromedp.Env("HOME="+here.Path("home")),
	)...)
	tab, closeTab := chromedp.NewContext(allocator)
	b := &browser{ctx: tab, close: func() { closeTab(); stop() }}
	if err := chromedp.Run(tab); err != nil {
		b.close()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return b, nil
}

func (b *browser) do(what string, actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		return fmt.Errorf("in the browser, %s: %w", what, err)
	}
	return nil
}

func (b *browser) open(address string) error {
	return b.do("open the page", chromedp.Navigate(address))
}

func (b *browser) typeInto(field, text string) error {
	return b.do("type into "+field, chromedp.SendKeys(field, text, chromedp.ByQuery, chromedp.NodeVisible))
}

func (b *browser) click(button string) error {
	return b.do("click on "+button, chromedp.Click(button, chromedp.ByQuery, chromedp.NodeVisible))
}

// picture saves what the page looks like. There is no event for "it looks as it will", so it waits a moment first.
func (b *browser) picture(path string) error {
	var png []byte
	if err := b.do("take a picture", chromedp.Sleep(300*time.Millisecond), chromedp.CaptureScreenshot(&png)); err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o600)
}
