package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/dns"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/term"
	"github.com/leadsman-dev/leadsman/pkg/tree"
	"github.com/leadsman-dev/leadsman/plugins/checkendpoints"
	"github.com/leadsman-dev/leadsman/plugins/explaintree"
	"github.com/leadsman-dev/leadsman/plugins/guardrollout"
	"github.com/leadsman-dev/leadsman/plugins/tracedns"
)

const generated = "<!-- Written by `make docs`; do not edit. -->\n\n"

// command is one plugin with what its pages are made from.
type command struct {
	name     string // as kubectl calls it
	plugin   cli.Plugin
	findings []finding.Doc
	untold   []finding.Doc // pages of what no finding tells
	exits    []exit
	needs    string // what the rights are for, in a sentence or two
}

func commands() []command {
	return []command{{
		name: "explain-tree", plugin: explaintree.Command, findings: tree.Docs(), exits: answers("never", deleted()),
		needs: "These are the rights for everything that it can look at. With fewer it still answers: what could not be seen is named in the last line, and the exit code is 3 only where the verdict depends on it. Custom resources are read where they lead to the object; grant `get` and `list` on yours if you want them in the tree. Secrets are only read as metadata (their names), which Kubernetes grants only together with their contents; leave the line out if that is too much.",
	}, {
		name: "check-endpoints", plugin: checkendpoints.Command, findings: endpoints.Docs(), exits: answers("error", deleted()),
		needs: "These are the rights for everything that it can look at. What it may not see makes a verdict unknown (exit code 3), never \"missing\". The rights to pods/proxy, pods/portforward and pods/exec are used with `--probe` and `--probe-from` alone.",
	}, {
		name: "guard-rollout", plugin: guardrollout.Command, findings: rollout.Docs(), exits: rolls(),
		needs: "These are the rights for everything that it can look at and do. What it may not see it skips, and says so; without EndpointSlices nothing can be proven of availability. The rights to patch workloads and to delete pods are used by `--on-failure` and by the keys of the screen alone, `services/proxy` by `--probe svc/...`.",
	}, {
		name: "trace-dns", plugin: tracedns.Command, findings: dns.Docs(), untold: dns.Untold(), exits: answers("error"),
		needs: "These are the rights for everything that it can look at and ask. Without pods/portforward the replicas are not asked, without pods/exec the pod's own files are predicted rather than read, and the trace says so.",
	}}
}

// pages are all generated files by their path in docs/.
func pages() (map[string][]byte, error) {
	relations, err := relationsPage()
	if err != nil {
		return nil, err
	}
	rbac, err := rbacPage()
	if err != nil {
		return nil, err
	}
	tutorial, err := tutorialPage()
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{"findings.md": findingsPage(), "relations.md": relations, "rbac.md": rbac, "tutorial.md": tutorial}
	if err := errors.Join(findingPages(all), imagePages(all)); err != nil {
		return nil, err
	}
	for _, c := range commands() {
		all["commands/"+c.name+".md"] = commandPage(c)
	}
	return all, nil
}

func rbacPage() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Rights\n\n" + generated)
	b.WriteString("The commands read with the rights of whoever runs them and change nothing. `--print-rbac` prints the ClusterRole below.\n")
	for _, c := range commands() {
		role, err := output(c, "--print-rbac")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\n## kubectl %s\n\n%s\n\n```yaml\n%s```\n", c.name, c.needs, role)
	}
	return b.Bytes(), nil
}

// output is what the command itself prints, whatever it finds.
func output(c command, args ...string) (string, error) { return outputAt(0, c, args...) }

// outputAt is output on a screen that has so many columns; 0 is none.
func outputAt(columns int, c command, args ...string) (string, error) {
	var out, errs bytes.Buffer
	argv := append([]string{"kubectl-" + strings.ReplaceAll(c.name, "-", "_")}, args...)
	streams := term.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: environment, Columns: columns}
	code := cli.Run(context.Background(), c.plugin, argv, streams)
	if code == cli.ExitError {
		return "", fmt.Errorf("%s: exit code %d: %s", strings.Join(argv, " "), code, errs.String())
	}
	return out.String(), nil
}

// environment is one with nothing but the locale that most terminals have.
func environment(name string) string {
	if name == "LANG" {
		return "C.UTF-8"
	}
	return ""
}

// prose keeps what Markdown would take for markup as it is.
func prose(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "[", `\[`, "`", "\\`").Replace(s)
}

// cell is prose inside a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(prose(s), "|", `\|`), "\n", " ")
}
