package snapshot

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

func TestAnswersToLiveQuestionsAreKeptWithoutTheirSecrets(t *testing.T) {
	store := source.NewStore(time.Unix(1e9, 0))
	store.PutAnswers(source.Answers{About: "trace-dns b", Document: json.RawMessage(`{"took":123456789012,"records":["1.2.3.4","password=hunter22"]}`)})
	store.PutAnswers(source.Answers{About: "trace-dns a", Document: json.RawMessage(`{"text":"nameserver 10.0.0.1\nsearch x\n"}`)})
	var first bytes.Buffer
	if err := Write(&first, store.Contents()); err != nil {
		t.Fatal(err)
	}
	again, gaps, err := Read([]string{"-"}, strings.NewReader(first.String()), Options{})
	if err != nil || len(gaps) > 0 {
		t.Fatal(err, gaps)
	}
	answers := again.Answers()
	if len(answers) != 2 || answers[0].About != "trace-dns a" || string(answers[0].Document) != `{"text":"nameserver 10.0.0.1\nsearch x\n"}` {
		t.Errorf("%s", answers)
	}
	if want := `{"records":["1.2.3.4","password=(redacted)"],"took":123456789012}`; string(answers[1].Document) != want {
		t.Errorf("%s", answers[1].Document)
	}
	var second bytes.Buffer
	if err := Write(&second, again.Contents()); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("it changes when it is written again:\n%s\n%s", first.String(), second.String())
	}
}
