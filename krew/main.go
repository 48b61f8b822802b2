// Command krew makes an index for krew from the manifest templates beside it
// and the archives of a release:
//
//	go run ./krew -dist dist -out FOLDER
//
// A git repository of that folder is what "kubectl krew index add" takes.
package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed *.yaml
var templates embed.FS

// releases is where the archives of a tag are downloaded from.
const releases = "https://github.com/leadsman-dev/leadsman/releases/download"

func main() {
	dist := flag.String("dist", "dist", "folder of the release's archives")
	out := flag.String("out", "dist/krew-index", "folder to write the index to, as plugins/*.yaml")
	from := flag.String("from", "", "download the archives from this URL instead of the tag's release")
	flag.Parse()
	if err := run(*dist, *out, *from); err != nil {
		fmt.Fprintln(os.Stderr, "krew:", err)
		os.Exit(1)
	}
}

func run(dist, out, from string) error {
	entries, err := templates.ReadDir(".")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "plugins"), 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		text, err := templates.ReadFile(e.Name())
		if err != nil {
			return err
		}
		values, err := valuesFrom(dist, strings.TrimSuffix(e.Name(), ".yaml"))
		if err != nil {
			return err
		}
		manifest, err := fill(string(text), values)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		if from != "" {
			manifest = bytes.ReplaceAll(manifest, []byte(releases+"/"+values["TAG"]+"/"), []byte(strings.TrimSuffix(from, "/")+"/"))
		}
		if err := os.WriteFile(filepath.Join(out, "plugins", e.Name()), manifest, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fill fills a template in; a value that is missing is an error.
func fill(text string, values map[string]string) ([]byte, error) {
	parsed, err := template.New("manifest").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = parsed.Execute(&b, values)
	return b.Bytes(), err
}

// valuesFrom are the tag and the hashes of a plugin's archives.
func valuesFrom(dist, plugin string) (map[string]string, error) {
	program := "kubectl-" + strings.ReplaceAll(plugin, "-", "_")
	named := regexp.MustCompile(`^` + program + `_(v[^_]+)_([a-z]+_[a-z0-9]+)\.(tar\.gz|zip)$`)
	entries, err := os.ReadDir(dist)
	if err != nil {
		return nil, fmt.Errorf("%w; make the archives with: make release-snapshot", err)
	}
	values := map[string]string{}
	for _, e := range entries {
		parts := named.FindStringSubmatch(e.Name())
		if parts == nil {
			continue
		}
		if tag := values["TAG"]; tag != "" && tag != parts[1] {
			return nil, fmt.Errorf("%s holds %s of both %s and %s; one release at a time", dist, program, tag, parts[1])
		}
		content, err := os.ReadFile(filepath.Join(dist, e.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		values["TAG"], values["SHA256_"+parts[2]] = parts[1], hex.EncodeToString(sum[:])
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s has no archive of %s; make the archives with: make release-snapshot", dist, program)
	}
	return values, nil
}
