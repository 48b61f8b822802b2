// Command sbom writes, beside each archive of a release, what is inside and
// under which licence: SPDX 2.3. It reads the modules from the binaries, where
// the linker wrote them, and the licences from the module cache.
package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/leadsman-dev/leadsman/test/licence"
	"github.com/leadsman-dev/leadsman/test/release/archive"
)

func main() {
	created := flag.String("created", "", "when the documents were made, as RFC 3339: the time of the commit, so that two builds write the same")
	flag.Parse()
	if err := run(flag.Arg(0), *created); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(dist, created string) error {
	moment, err := time.Parse(time.RFC3339, created)
	if err != nil || dist == "" {
		return errors.New("usage: sbom -created TIME DIST")
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return fmt.Errorf("cannot find the module cache: %w", err)
	}
	var archives []string
	for _, pattern := range []string{"*.tar.gz", "*.zip"} {
		found, err := filepath.Glob(filepath.Join(dist, pattern))
		if err != nil {
			return err
		}
		archives = append(archives, found...)
	}
	if len(archives) == 0 {
		return fmt.Errorf("%s has no archives", dist)
	}
	for _, path := range archives {
		doc, err := document(path, moment.UTC(), strings.TrimSpace(string(cache)))
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(doc, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+".spdx.json", append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Document and what is in it are SPDX 2.3's.
type Document struct {
	SPDXVersion   string         `json:"spdxVersion"`
	DataLicense   string         `json:"dataLicense"`
	SPDXID        string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	CreationInfo  Creation       `json:"creationInfo"`
	Packages      []Package      `json:"packages"`
	Relationships []Relationship `json:"relationships"`
}

// Creation says when and by what a document was made.
type Creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

// Package is the archive, or a module in it.
type Package struct {
	SPDXID        string     `json:"SPDXID"`
	Name          string     `json:"name"`
	Version       string     `json:"versionInfo,omitempty"`
	Location      string     `json:"downloadLocation"`
	FilesAnalyzed bool       `json:"filesAnalyzed"`
	Checksums     []Checksum `json:"checksums,omitempty"`
	Concluded     string     `json:"licenseConcluded"`
	Declared      string     `json:"licenseDeclared"`
	Copyright     string     `json:"copyrightText"`
	Refs          []Ref      `json:"externalRefs,omitempty"`
}

// Checksum is of the archive.
type Checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

// Ref is a package URL.
type Ref struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

// Relationship is between two packages.
type Relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const nothingSaid = "NOASSERTION"

func document(path string, created time.Time, cache string) (Document, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Document{}, err
	}
	sum := sha256.Sum256(content)
	hash, name := hex.EncodeToString(sum[:]), filepath.Base(path)
	modules, goVersion, err := linked(path)
	if err != nil {
		return Document{}, err
	}
	doc := Document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: name,
		Namespace:    "https://github.com/leadsman-dev/leadsman/spdx/" + name + "-" + hash,
		CreationInfo: Creation{created.Format("2006-01-02T15:04:05Z"), []string{"Tool: leadsman-sbom"}},
		Packages: []Package{{
			SPDXID: "SPDXRef-archive", Name: name, Location: nothingSaid, Checksums: []Checksum{{"SHA256", hash}},
			Concluded: "Apache-2.0", Declared: "Apache-2.0", Copyright: nothingSaid,
		}},
		Relationships: []Relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-archive"}},
	}
	add := func(name, version, licences string) {
		id := "SPDXRef-" + strings.Map(idRune, name+"-"+version)
		doc.Packages = append(doc.Packages, Package{
			SPDXID: id, Name: name, Version: version, Location: nothingSaid, Concluded: licences, Declared: licences, Copyright: nothingSaid,
			Refs: []Ref{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + name + "@" + strings.ReplaceAll(version, "+", "%2B")}},
		})
		doc.Relationships = append(doc.Relationships, Relationship{"SPDXRef-archive", "CONTAINS", id})
	}
	for _, m := range modules {
		ids, err := licence.Of(filepath.Join(cache, escaped(m.Path)+"@"+escaped(m.Version)))
		if err != nil {
			return Document{}, err
		}
		add(m.Path, m.Version, strings.Join(ids, " AND "))
	}
	add("stdlib", strings.TrimPrefix(goVersion, "go"), "BSD-3-Clause")
	return doc, nil
}

// linked are the modules of all binaries of an archive, each once, in order.
func linked(path string) (modules []*debug.Module, goVersion string, err error) {
	files, err := archive.Read(path)
	if err != nil {
		return nil, "", err
	}
	byKey := map[string]*debug.Module{}
	for _, f := range files {
		if !strings.HasPrefix(f.Name, "kubectl-") {
			continue
		}
		info, err := buildinfo.Read(bytes.NewReader(f.Content))
		if err != nil {
			return nil, "", fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		goVersion = info.GoVersion
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			byKey[m.Path+"@"+m.Version] = m
		}
	}
	if len(byKey) == 0 {
		return nil, "", fmt.Errorf("%s holds no binary that tells its modules", path)
	}
	modules = slices.SortedFunc(maps.Values(byKey), func(a, b *debug.Module) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	return modules, goVersion, nil
}

// escaped is a path as the module cache writes it (golang.org/x/mod/module,
// EscapePath): capital letters behind an exclamation mark.
func escaped(path string) string {
	var b strings.Builder
	for _, r := range path {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// idRune keeps what an SPDX identifier may hold.
func idRune(r rune) rune {
	if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '.' || r == '-' {
		return r
	}
	return '-'
}
