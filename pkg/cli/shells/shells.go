// Package shells writes the scripts by which a shell completes a program.
package shells

import (
	"io"

	"github.com/spf13/cobra"
)

// Names are the shells for which there is a script, with the usual name of
// its file; an asterisk stands for the program.
func Names() map[string]string {
	return map[string]string{"bash": "*.bash", "zsh": "_*", "fish": "*.fish", "powershell": "*.ps1"}
}

// Script writes the script that completes the named program: what the program
// prints for "completion SHELL". The script asks the program itself what fits.
// It is no subcommand, so that "completion" alone may be the name of an object.
func Script(w io.Writer, program, shell string) error {
	cmd := &cobra.Command{Use: program}
	switch shell {
	case "bash":
		return cmd.GenBashCompletionV2(w, true)
	case "zsh":
		return cmd.GenZshCompletion(w)
	case "fish":
		return cmd.GenFishCompletion(w, true)
	default:
		return cmd.GenPowerShellCompletionWithDesc(w)
	}
}
