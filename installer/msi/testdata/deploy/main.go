// Program deploy stands in for platen-deploy in the tests of the package: it is a service with the real one's code, and for the
// rest it notes what it was told in C:\commands.log. The real one refuses to start under Wine, where every file belongs to
// the one person there is.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/platenprint/platen/printqueue/service"
)

func main() {
	command := strings.Join(os.Args[1:], " ")
	note(command)
	var err error
	switch command {
	case "run-service":
		err = service.Run(context.Background(), func(ctx context.Context) error {
			<-ctx.Done()
			note("stopped")
			// Gone before it is called stopped: between the two, Wine would not let go of the program's file, and the removal
			// would leave it. Windows moves such files away.
			os.Exit(0)
			return nil
		})
	case "install":
		for range 600 { // while the test looks
			if _, err := os.Stat(`C:\wait`); err != nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		err = install()
	}
	if err != nil {
		note("error: " + err.Error())
		os.Exit(1)
	}
}

func install() error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	m, err := service.Find()
	if err != nil {
		return err
	}
	return m.Install(context.Background(), path)
}

func note(text string) {
	f, err := os.OpenFile(`C:\commands.log`, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		os.Exit(3)
	}
	fmt.Fprintln(f, text)
	f.Close()
}
