package release

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// action is the metadata of a composite Action.
type action struct {
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Author      string           `json:"author"`
	Branding    map[string]any   `json:"branding"`
	Inputs      map[string]input `json:"inputs"`
	Outputs     map[string]struct {
		Description string `json:"description"`
		Value       string `json:"value"`
	} `json:"outputs"`
	Runs struct {
		Using string `json:"using"`
		Steps []step `json:"steps"`
	} `json:"runs"`
}

type input struct {
	Description string `json:"description"`
	Default     string `json:"default"`
}

type step struct {
	ID    string            `json:"id"`
	If    string            `json:"if"`
	Uses  string            `json:"uses"`
	With  map[string]string `json:"with"`
	Shell string            `json:"shell"`
	Env   map[string]string `json:"env"`
	Run   string            `json:"run"`
}

var (
	reference = regexp.MustCompile(`\b(inputs|steps)\.([a-z-]+)(?:\.outputs\.([a-z-]+))?`)
	pinned    = regexp.MustCompile(`(?m)^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v[0-9.]+$`)
	used      = regexp.MustCompile(`(?m)^\s*(?:- )?uses: [^.].*$`)
)

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	if err := yaml.UnmarshalStrict(read(t, filepath.Join(root, ".github/actions/leadsman/action.yml")), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheActionIsWellFormed(t *testing.T) {
	a := readAction(t)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" {
		t.Errorf("it is a %q called %q", a.Runs.Using, a.Name)
	}
	for name, in := range a.Inputs {
		if in.Description == "" {
			t.Errorf("the input %s is not described", name)
		}
	}
	var ids []string
	known := func(where, text string) {
		for _, r := range reference.FindAllStringSubmatch(text, -1) {
			_, input := a.Inputs[r[2]]
			if r[1] == "inputs" && !input || r[1] == "steps" && !slices.Contains(ids, r[2]) {
				t.Errorf("%s refers to %s, which does not exist", where, r[0])
			}
		}
	}
	for _, s := range a.Runs.Steps {
		known(s.ID, s.If)
		for _, value := range s.Env {
			known(s.ID, value)
		}
		for _, value := range s.With {
			known(s.Uses, value)
		}
		if (s.Run == "") == (s.Uses == "") || s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %q runs neither bash nor an Action", s.ID)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q puts a stranger's words into its script; give them by env", s.ID)
		}
		ids = append(ids, s.ID)
	}
	for name, out := range a.Outputs {
		known(name, out.Value)
	}
}

func TestWorkflowsAreWellFormedAndPinTheirActions(t *testing.T) {
	workflows, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	if err != nil || len(workflows) == 0 {
		t.Fatalf("no workflows, %v", err)
	}
	recipe := filepath.Join(t.TempDir(), "recipe.yml")
	if err := os.WriteFile(recipe, yamlOf(t, "docs/ci.md"), 0o644); err != nil {
		t.Fatal(err)
	}
	lint := exec.Command(tool(t, "krew", "actionlint"), append(slices.Clone(workflows), recipe)...)
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v: %s", err, said)
	}
	for _, file := range append(workflows, filepath.Join(root, ".github/actions/leadsman/action.yml")) {
		for _, line := range used.FindAllString(string(read(t, file)), -1) {
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q can change under us: name a commit, and its version behind a #", file, strings.TrimSpace(line))
			}
		}
	}
}

func TestTheRecipeGivesTheActionWhatItKnows(t *testing.T) {
	a := readAction(t)
	var recipe struct {
		Jobs map[string]struct{ Steps []step } `json:"jobs"`
	}
	if err := yaml.Unmarshal(yamlOf(t, "docs/ci.md"), &recipe); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, job := range recipe.Jobs {
		for _, s := range job.Steps {
			if !strings.Contains(s.Uses, "/.github/actions/leadsman@") {
				continue
			}
			found = true
			for name := range s.With {
				if _, ok := a.Inputs[name]; !ok {
					t.Errorf("the Action has no input %q", name)
				}
			}
		}
	}
	if !found {
		t.Error("docs/ci.md does not use the Action")
	}
}

// yamlOf is the first YAML that a page shows.
func yamlOf(t *testing.T, page string) []byte {
	t.Helper()
	_, rest, ok := strings.Cut(string(read(t, filepath.Join(root, page))), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("%s shows no YAML", page)
	}
	return []byte(text)
}

// runAction runs the scripts of the Action's steps as a runner would, on a dump
// and with the release that is served here.
func runAction(t *testing.T, dist string) {
	archive, err := filepath.Glob(filepath.Join(dist, "leadsman_v*_linux_amd64.tar.gz"))
	if err != nil || len(archive) != 1 {
		t.Fatalf("%d archives of all, %v", len(archive), err)
	}
	tag := strings.Split(filepath.Base(archive[0]), "_")[1]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/releases/latest":
			http.Redirect(w, r, "/releases/tag/"+tag, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/releases/tag/"):
		default:
			http.ServeFile(w, r, filepath.Join(dist, filepath.Base(r.URL.Path)))
		}
	}))
	defer server.Close()
	temp := t.TempDir()
	runner := []string{"RUNNER_TEMP=" + temp, "GITHUB_PATH=" + temp + "/path", "GITHUB_OUTPUT=" + temp + "/output"}
	run := func(id string, code int, env ...string) string {
		t.Helper()
		steps := readAction(t).Runs.Steps
		i := slices.IndexFunc(steps, func(s step) bool { return s.ID == id })
		if i < 0 {
			t.Fatalf("there is no step %s", id)
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", steps[i].Run)
		cmd.Dir = root
		cmd.Env = slices.Concat(os.Environ(), runner, env, []string{"PATH=" + temp + "/leadsman/bin:" + os.Getenv("PATH")})
		said, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != code {
			t.Fatalf("step %s exits with %d, not %d: %s", id, cmd.ProcessState.ExitCode(), code, said)
		}
		return string(said)
	}
	reports := filepath.Join(temp, "leadsman", "reports")
	run("install", 0, "VERSION=latest", "RELEASES="+server.URL+"/releases")
	run("check", 0, "ARGUMENTS=web --snapshot test/demo/stories/3-no-endpoints/snapshot.yaml.gz", "FOLDER="+reports)
	if got := string(read(t, temp+"/output")); !strings.Contains(got, "folder="+reports) || !strings.Contains(got, "code=2") {
		t.Errorf("the outputs are %q", got)
	}
	for file, holds := range map[string]string{"endpoints.sarif": `"version": "2.1.0"`, "endpoints.junit.xml": "<testsuite"} {
		if !strings.Contains(string(read(t, filepath.Join(reports, file))), holds) {
			t.Errorf("%s is none", file)
		}
	}
	run("verdict", 2, "CHECK=2", "ROLLOUT=0")
	run("verdict", 6, "CHECK=", "ROLLOUT=6")
	run("verdict", 0, "CHECK=0", "ROLLOUT=")
	run("check", 1, "ARGUMENTS=--snapshot nowhere", "FOLDER="+reports)
	if said := run("install", 22, "VERSION=v9.9.9", "RELEASES="+server.URL+"/nothing"); !strings.Contains(said, "404") {
		t.Errorf("a release that does not exist: %s", said)
	}
}
