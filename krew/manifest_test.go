package main

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// manifest is krew's Plugin (krew pkg/index), with the parts that we use.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string     `json:"version"`
		Homepage         string     `json:"homepage"`
		ShortDescription string     `json:"shortDescription"`
		Description      string     `json:"description"`
		Caveats          string     `json:"caveats"`
		Platforms        []platform `json:"platforms"`
	} `json:"spec"`
}

type platform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
	Files  []struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"files"`
}

// Where a rule is krew's own, its source is named; the others are those of the
// public index (krew-index CONTRIBUTING, krew docs "Best practices").
var (
	kebab   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`) // naming guide; krew allows \w too
	version = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)
	sha     = regexp.MustCompile(`^[a-f0-9]{64}$`)                              // internal/index/validation
	devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[1-9]|lpt[1-9])$`)   // windowsForbidden, same place
	reserve = regexp.MustCompile(`(?i)^(kubectl|kube)-|\b(the )?best\b|plugin`) // naming guide: no "kubectl-", no praise
)

// check applies the rules to a manifest that was read from the named file.
func check(file, text string) (broken []string) {
	var m manifest
	if err := yaml.UnmarshalStrict([]byte(text), &m); err != nil {
		return []string{err.Error()}
	}
	must := func(holds bool, format string, values ...any) {
		if !holds {
			broken = append(broken, fmt.Sprintf(format, values...))
		}
	}
	name, s := m.Metadata.Name, m.Spec
	must(m.APIVersion == "krew.googlecontainertools.github.com/v1alpha2" && m.Kind == "Plugin", "it is a %s of %s", m.Kind, m.APIVersion)
	must(file == name+".yaml", "the file of %s is called %s", name, file)
	must(kebab.MatchString(name) && !devices.MatchString(name) && !reserve.MatchString(name), "%q is no name for a plugin", name)
	must(version.MatchString(s.Version), "version %q is no semantic version with a v", s.Version)
	must(secure(s.Homepage), "homepage %q is no https URL", s.Homepage)
	must(s.ShortDescription != "" && len(s.ShortDescription) <= 50, "shortDescription has %d characters", len(s.ShortDescription))
	must(!strings.ContainsAny(s.ShortDescription, "\r\n") && !strings.HasSuffix(s.ShortDescription, "."), "shortDescription is no single phrase")
	must(s.Description != "" && wraps(s.Description), "description is empty or wider than 80 characters")
	must(strings.Contains(s.Caveats, "kubectl "+name+" --print-rbac") && wraps(s.Caveats), "caveats do not say which rights it needs, or are wider than 80 characters")

	program := "kubectl-" + strings.ReplaceAll(name, "-", "_")
	var seen []string
	for _, p := range s.Platforms {
		broken = append(broken, checkPlatform(p, program, s.Version)...)
		labels := p.Selector.MatchLabels
		on := labels["os"] + "_" + labels["arch"]
		must(len(labels) == 2 && !slices.Contains(seen, on), "selector %v overlaps with another or is not os and arch", labels)
		seen = append(seen, on)
	}
	slices.Sort(seen)
	all := []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64", "windows_arm64"}
	must(slices.Equal(seen, all), "platforms are %v, not %v", seen, all)
	return broken
}

func checkPlatform(p platform, program, version string) (broken []string) {
	must := func(holds bool, format string, values ...any) {
		if !holds {
			broken = append(broken, fmt.Sprintf(format, values...))
		}
	}
	labels := p.Selector.MatchLabels
	bin, kind := program, "tar.gz"
	if labels["os"] == "windows" {
		bin, kind = program+".exe", "zip"
	}
	archive := fmt.Sprintf("%s_%s_%s_%s.%s", program, version, labels["os"], labels["arch"], kind)
	must(secure(p.URI) && path.Base(p.URI) == archive, "uri %q is no https URL of %s", p.URI, archive)
	must(sha.MatchString(p.SHA256), "sha256 %q is none", p.SHA256)
	must(p.Bin == bin, "bin is %q, not %q", p.Bin, bin)
	var from []string
	for _, f := range p.Files {
		from = append(from, f.From)
		must(safe(f.From) && safe(f.To), "files: %q to %q leaves the folder", f.From, f.To)
	}
	must(slices.Equal(from, []string{bin, "LICENSE"}), "files are %v; the program and its licence are needed", from)
	return broken
}

func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// safe is a relative path that stays where it is (krew internal/pathutil).
func safe(name string) bool {
	clean := path.Clean(name)
	return name != "" && !path.IsAbs(name) && !strings.Contains(name, `\`) && !strings.Contains(name, ":") && clean != ".." && !strings.HasPrefix(clean, "../")
}

// wraps says that no line is wider than 80 characters.
func wraps(text string) bool {
	for line := range strings.Lines(text) {
		if len([]rune(strings.TrimRight(line, "\n"))) > 80 {
			return false
		}
	}
	return true
}

func TestEveryManifestKeepsTheRulesOfKrew(t *testing.T) {
	entries, err := templates.ReadDir(".")
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d templates, %v", len(entries), err)
	}
	for _, e := range entries {
		for _, complaint := range check(e.Name(), filled(t, e.Name(), "v1.2.3")) {
			t.Errorf("%s: %s", e.Name(), complaint)
		}
	}
}

func TestTheRulesNoticeWhatBreaksThem(t *testing.T) {
	good := filled(t, "trace-dns.yaml", "v1.2.3")
	for _, tc := range []struct{ was, is, complaint string }{
		{"name: trace-dns", "name: Trace_DNS", "no name"},
		{"name: trace-dns", "name: nul", "no name"},
		{"name: trace-dns", "name: dns", "file of dns"},
		{"v1alpha2", "v1alpha3", "v1alpha3"},
		{`version: "v1.2.3"`, `version: "1.2.3"`, "semantic version"},
		{"step by step", "step by step, and a great deal more than fits", "characters"},
		{"step by step", "step by step.", "single phrase"},
		{"Predicts the queries", "Predicts the very many and sometimes quite surprising queries", "wider"},
		{"--print-rbac", "--help", "rights"},
		{"arch: arm64}", "arch: amd64}", "overlaps"},
		{"os: linux, arch: amd64", "os: linux", "overlaps"},
		{"uri: https:", "uri: http:", "https"},
		{"_linux_amd64.tar.gz", "_linux_386.tar.gz", "no https URL of"},
		{strings.Repeat("a", 64), strings.Repeat("A", 64), "sha256"},
		{"bin: kubectl-trace_dns\n", "bin: kubectl-trace-dns\n", "bin is"},
		{"to: .}", "to: ../bin}", "leaves the folder"},
		{"{from: LICENSE, to: .}", "{from: /etc/passwd, to: .}", "leaves the folder"},
		{", {from: LICENSE, to: .}", "", "licence are needed"},
		{"homepage:", "homepages:", "unknown field"},
	} {
		changed := strings.Replace(good, tc.was, tc.is, 1)
		if changed == good {
			t.Fatalf("%q is not in the manifest", tc.was)
		}
		if said := strings.Join(check("trace-dns.yaml", changed), "\n"); !strings.Contains(said, tc.complaint) {
			t.Errorf("%q for %q: %q does not say %q", tc.is, tc.was, said, tc.complaint)
		}
	}
}

// filled is a template with the hashes of nothing.
func filled(t *testing.T, file, tag string) string {
	t.Helper()
	text, err := templates.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"TAG": tag}
	for _, os := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			values["SHA256_"+os+"_"+arch] = strings.Repeat("a", 64)
		}
	}
	manifest, err := fill(string(text), values)
	if err != nil {
		t.Fatal(err)
	}
	return string(manifest)
}
