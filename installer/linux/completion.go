package linux

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"
)

// completions are what shells complete the commands' words with. The shells ask the programs themselves for the rest.
func completions(commands ...*cobra.Command) ([]item, error) {
	var list []item
	for _, c := range commands {
		var bash, zsh, fish bytes.Buffer
		for _, err := range []error{c.GenBashCompletionV2(&bash, true), c.GenZshCompletion(&zsh), c.GenFishCompletion(&fish, true)} {
			if err != nil {
				return nil, fmt.Errorf("completions of %s: %w", c.Name(), err)
			}
		}
		list = append(list,
			item{path: "/usr/share/bash-completion/completions/" + c.Name(), mode: 0o644, text: bash.String()},
			item{path: "/usr/share/zsh/vendor-completions/_" + c.Name(), mode: 0o644, text: zsh.String(), format: deb},
			item{path: "/usr/share/zsh/site-functions/_" + c.Name(), mode: 0o644, text: zsh.String(), format: rpm},
			item{path: "/usr/share/fish/vendor_completions.d/" + c.Name() + ".fish", mode: 0o644, text: fish.String()},
		)
	}
	for _, dir := range []string{"/usr/share/bash-completion/completions", "/usr/share/zsh/site-functions", "/usr/share/fish/vendor_completions.d"} {
		list = append(list, owned(dir)...)
	}
	return list, nil
}
