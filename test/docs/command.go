package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// commandPage is the command's own help, as a page.
func commandPage(c command) []byte {
	cmd := c.plugin(&cli.Env{
		Streams: term.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard},
		Config:  genericclioptions.NewConfigFlags(true),
		Display: "kubectl " + c.name,
		Now:     time.Now,
	})
	cmd.InitDefaultHelpFlag()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# kubectl %s\n\n%s%s\n\n```\n%s\n```\n\n## Examples\n\n```sh\n%s\n```\n", c.name, generated, prose(cmd.Long), cmd.UseLine(), dedent(cmd.Example))
	b.WriteString("\n## Flags\n\n")
	flags(&b, cmd.LocalNonPersistentFlags())
	b.WriteString("\n## Flags of kubectl\n\n")
	flags(&b, cmd.PersistentFlags())
	exitCodes(&b, c.exits)
	fmt.Fprintf(&b, "\nSee also [the findings](../findings.md#kubectl-%s), [the relations](../relations.md) and [the rights](../rbac.md#kubectl-%[1]s).\n", c.name)
	return b.Bytes()
}

func flags(b *bytes.Buffer, set *pflag.FlagSet) {
	b.WriteString("| flag | |\n|---|---|\n")
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		fmt.Fprintf(b, "| `%s` | %s%s |\n", name, cell(usage), standard(f))
	})
}

// standard is a flag's default, where it is one worth telling.
func standard(f *pflag.Flag) string {
	switch value := portable(f.DefValue); value {
	case "", "false", "0", "[]":
		return ""
	default:
		return " Default: `" + value + "`."
	}
}

// portable takes the home of whoever runs this out of a path.
func portable(value string) string {
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(value, home+"/") {
		return "~" + strings.TrimPrefix(value, home)
	}
	return value
}

func dedent(example string) string {
	lines := strings.Split(example, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
