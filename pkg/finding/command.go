package finding

import (
	"encoding/json"
	"slices"
	"strings"
)

// Kubectl is a complete command, in the namespace where one is given. What
// comes from the cluster is quoted for the shell, since a dump may hold names
// that no API server would accept.
func Kubectl(namespace string, args ...string) string {
	words := []string{"kubectl"}
	if namespace != "" {
		words = append(words, "-n", Quote(namespace))
	}
	for _, a := range args {
		words = append(words, Quote(a))
	}
	return strings.Join(words, " ")
}

// plain says that a shell takes a letter as it is. Many thousand words may be
// quoted in one answer: an expression would be a quarter of a judgement.
func plain(letter byte) bool {
	return 'a' <= letter && letter <= 'z' || 'A' <= letter && letter <= 'Z' || '0' <= letter && letter <= '9' || strings.IndexByte("_./:=@,%+-", letter) >= 0
}

// Quote makes one word of a POSIX shell command.
func Quote(word string) string {
	i := 0
	for i < len(word) && plain(word[i]) {
		i++
	}
	if i == len(word) && i > 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// JSON is a value on one line, with the keys of maps in order, as patches are
// written.
func JSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "{}"
	}
	return strings.TrimSpace(b.String())
}

// reads are kubectl's commands that change nothing.
var reads = []string{"get", "describe", "logs", "events", "top", "explain", "auth", "rollout history"}

// Looks says that the command only shows something: a person decides on it. A
// fix without a command looks at nothing.
func (f Fix) Looks() bool {
	words := strings.Fields(f.Command)
	if len(words) < 2 || words[0] != "kubectl" || slices.Contains(words, "|") {
		return false
	}
	words = words[1:]
	if words[0] == "-n" {
		words = words[min(2, len(words)):]
	}
	verb := strings.Join(words[:min(1, len(words))], " ")
	return slices.Contains(reads, verb) || slices.Contains(reads, strings.Join(words[:min(2, len(words))], " "))
}

// Word is what a fix is called where it is shown: what only looks is no fix.
func (f Fix) Word() string {
	if f.Looks() {
		return "look"
	}
	return "fix"
}

// Pointer is a field, such as spec.rules[0].host, as a JSON patch names it
// (RFC 6901).
func Pointer(field string) string {
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(field)
}
