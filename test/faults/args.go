package faults

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// Args are the arguments of a question, with the namespace in place of $NS,
// and the form of the answer. A recording names its namespace itself.
func (c Case) Args(ask, namespace string) []string {
	if namespace == "" {
		namespace = c.Namespace()
	}
	args := strings.Fields(strings.ReplaceAll(ask, "$NS", namespace))
	if !strings.Contains(" "+ask+" ", " -n ") && !strings.Contains(" "+ask+" ", " -A ") {
		args = append(args, "-n", namespace)
	}
	if c.Watches() {
		if !strings.Contains(ask, "--stable-for") {
			args = append(args, "--stable-for", "4s")
		}
		return append(args, "-o", "ndjson")
	}
	return append(args, "-o", "json")
}

// Namespace is where the case is provoked. It is the same each time, so that
// recordings differ only in what is different.
func (c Case) Namespace() string {
	short := map[string]string{"explain-tree": "tree", "check-endpoints": "ep", "guard-rollout": "roll", "trace-dns": "dns"}
	return short[c.Plugin] + "-" + c.Name
}

// Fill puts copies of the case's own files, with the namespace filled in, in
// place of their names behind -f. The copies are made in dir.
func (c Case) Fill(args []string, corpus, dir string) error {
	for i := range args {
		if i == 0 || args[i-1] != "-f" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(corpus, filepath.FromSlash(c.Folder()), args[i]))
		if err != nil {
			return err
		}
		args[i] = filepath.Join(dir, args[i])
		if err := os.WriteFile(args[i], bytes.ReplaceAll(text, []byte("$NS"), []byte(c.Namespace())), 0o600); err != nil {
			return err
		}
	}
	return nil
}
