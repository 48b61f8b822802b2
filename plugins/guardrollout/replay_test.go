package guardrollout

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

const recordings = "../../pkg/rollout/testdata/"

// kubectl runs the plugin as kubectl does.
func kubectl(t *testing.T, in string, args ...string) (out, said string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	streams := term.Streams{In: strings.NewReader(in), Out: &o, Err: &e, Getenv: func(string) string { return "" }}
	code = cli.Run(t.Context(), Command, append([]string{"kubectl-guard_rollout"}, args...), streams)
	return o.String(), e.String(), code
}

// Every document, of every way in which a rollout can end, is what is published.
func TestDocumentsFollowThePublishedSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/guard-rollout.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	lines := [][]string{
		{"--snapshot", "../../test/script/testdata/snapshots/shop.yaml"},
		{"deploy/frontend", "--preflight", "--snapshot", "../../test/script/testdata/snapshots/shop.yaml"},
		{"deploy/redis", "--preflight", "--learn", "--snapshot", "../../test/script/testdata/snapshots/redis.yaml.gz"},
	}
	files, err := filepath.Glob(recordings + "*.ndjson.gz")
	if err != nil || len(files) < 15 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		lines = append(lines, []string{"--replay", file, "--learn"})
	}
	for _, args := range lines {
		out, said, code := kubectl(t, "", append(args, "-o", "json")...)
		if code == cli.ExitError {
			t.Errorf("%v: %s", args, said)
			continue
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestARecordingThatIsNoneOfOursIsRefused(t *testing.T) {
	const head = `{"apiVersion":"leadsman.dev/v1alpha1","kind":"Recording"}` + "\n"
	note := func(about, document string) string {
		return head + fmt.Sprintf(`{"at":"2026-03-01T12:00:00Z","note":{"about":%q,"document":%s}}`+"\n", about, document)
	}
	for name, c := range map[string]struct{ text, says string }{
		"an empty file":                {"", "cannot replay"},
		"a manifest":                   {"kind: Deployment\n", "not that of a recording"},
		"a recording with nothing in":  {head, ""},
		"a recording of another tool":  {note("endpoints", "{}"), "was not recorded by guard-rollout"},
		"a document that is no object": {note("guard-rollout", `"x"`), "was not recorded by guard-rollout"},
		"nothing watched":              {note("guard-rollout", "{}"), "has no such workload"},
	} {
		if _, said, code := kubectl(t, c.text, "--replay", "-"); code != cli.ExitError || !strings.Contains(said, c.says) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
}

// A machine that died while it recorded left something to read.
func TestARecordingThatWasCutOffIsToldUpToThere(t *testing.T) {
	whole, err := os.ReadFile(recordings + "badimage.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{len(whole) / 3, len(whole) / 2, len(whole) - 9} {
		out, said, code := kubectl(t, string(whole[:size]), "--replay", "-")
		if code == cli.ExitOK || code == cli.ExitError || out == "" || !strings.Contains(said, "breaks off") {
			t.Errorf("%d of %d bytes: exit code %d: %s", size, len(whole), code, said)
		}
	}
}

func TestAReplayGoesAtTheChosenPace(t *testing.T) {
	began := time.Now()
	if _, said, code := kubectl(t, "", "--replay", recordings+"deleted.ndjson.gz", "--speed", "20x"); code != cli.ExitSuperseded {
		t.Fatal(code, said)
	}
	if took := time.Since(began); took < 100*time.Millisecond { // 4 s of recording
		t.Errorf("it took only %s", took)
	}
}
