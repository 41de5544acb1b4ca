// Command standin stands in for a program of the packages: it notes how it was called in the file /calls, if there is one.
package main

import (
	"os"
	"strings"
)

var version = "1"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "version" {
		_, _ = os.Stdout.WriteString(version + "\n")
		return
	}
	f, err := os.OpenFile("/calls", os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	_, _ = f.WriteString(strings.Join(os.Args, " ") + "\n")
	_ = f.Close()
}
