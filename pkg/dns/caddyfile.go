package dns

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// reader parses a Corefile as github.com/coredns/caddy/caddyfile.Parse does,
// with its lexer and its types. Parse itself would read imports from the local
// disk and variables from the local environment; here both come from what the
// cluster stores, and nothing else can be reached.
type reader struct {
	file     string
	files    map[string]string // path in the container → content
	env      func(string) (string, bool)
	tokens   []caddyfile.Token
	at       int
	snippets map[string][]caddyfile.Token
	imports  int
	missing  []string // imports that could not be resolved
	unknown  []string // variables whose value is not in the pod's spec
}

// The bounds on what a hostile Corefile can make of itself.
const (
	maxImports = 200
	maxTokens  = 20_000
	maxText    = 1 << 20
)

type syntaxError struct {
	line int
	file string
	text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func lex(text string) []caddyfile.Token {
	if len(text) > maxText {
		text = text[:maxText]
	}
	d := caddyfile.NewDispenser("", strings.NewReader(text))
	var tokens []caddyfile.Token
	for d.Next() {
		tokens = append(tokens, caddyfile.Token{Line: d.Line(), Text: d.Val()})
	}
	return tokens
}

func (r *reader) parse() ([]caddyfile.ServerBlock, error) {
	r.tokens, r.at = lex(r.files[r.file]), -1
	var blocks []caddyfile.ServerBlock
	for r.next() {
		b, err := r.block()
		if err != nil {
			return blocks, err
		}
		if len(b.Keys) > 0 {
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// configHash is what CoreDNS logs as "Running configuration SHA512"
// (coredns plugin/reload, parse and hook).
func configHash(blocks []caddyfile.ServerBlock) string {
	data, err := json.Marshal(blocks)
	if err != nil {
		return ""
	}
	sum := sha512.Sum512(data)
	return hex.EncodeToString(sum[:])
}

func (r *reader) next() bool {
	if r.at < len(r.tokens)-1 {
		r.at++
		return true
	}
	return false
}

func (r *reader) val() string {
	if r.at < 0 || r.at >= len(r.tokens) {
		return ""
	}
	return r.tokens[r.at].Text
}

func (r *reader) newLine() bool {
	if r.at < 1 {
		return true
	}
	return r.at < len(r.tokens) && startsLine(r.tokens, r.at)
}

// startsLine says whether a token is the first of its line.
func startsLine(tokens []caddyfile.Token, i int) bool {
	if i == 0 {
		return true
	}
	before, here := tokens[i-1], tokens[i]
	return before.File != here.File || before.Line+strings.Count(before.Text, "\n") < here.Line
}

// sameLine is the dispenser's NextArg: the next token, if it is on this line.
func (r *reader) nextArg() bool {
	if r.at < 0 || r.at >= len(r.tokens)-1 {
		return false
	}
	here, after := r.tokens[r.at], r.tokens[r.at+1]
	if here.File != after.File || here.Line+strings.Count(here.Text, "\n") != after.Line {
		return false
	}
	r.at++
	return true
}

func (r *reader) errorf(format string, args ...any) error {
	e := &syntaxError{text: fmt.Sprintf(format, args...), file: r.file}
	if r.at >= 0 && r.at < len(r.tokens) {
		e.line = r.tokens[r.at].Line
		if f := r.tokens[r.at].File; f != "" {
			e.file = f
		}
	} else if len(r.tokens) > 0 {
		e.line = r.tokens[len(r.tokens)-1].Line
	}
	return e
}

func (r *reader) block() (caddyfile.ServerBlock, error) {
	b := caddyfile.ServerBlock{Tokens: map[string][]caddyfile.Token{}}
	ended, err := r.addresses(&b)
	if err != nil || ended {
		return b, err
	}
	if k := b.Keys; len(k) == 1 && strings.HasPrefix(k[0], "(") && strings.HasSuffix(k[0], ")") {
		b.Keys = nil
		return b, r.snippet(strings.TrimSuffix(k[0][1:], ")"))
	}
	opened := r.val() == "{"
	if !opened {
		r.at-- // a single server needs no braces
	}
	if err := r.directives(&b); err != nil {
		return b, err
	}
	if opened && r.val() != "}" {
		return b, r.errorf("the server block is not closed: a } is missing")
	}
	return b, nil
}

func (r *reader) addresses(b *caddyfile.ServerBlock) (ended bool, err error) {
	another := false
	for {
		t := r.expand(r.val())
		if t == "import" && r.newLine() {
			if err := r.splice(); err != nil {
				return false, err
			}
			if !r.next() { // nothing was imported, and nothing follows
				return true, nil
			}
			continue
		}
		if t == "{" {
			if another {
				return false, r.errorf("an address is expected instead of {: there is a comma too many")
			}
			return false, nil
		}
		if t != "" {
			trimmed, comma := strings.CutSuffix(t, ",")
			another = comma
			b.Keys = append(b.Keys, trimmed)
		}
		has := r.next()
		if another && !has {
			return false, r.errorf("the file ends after a comma")
		}
		if !has {
			return true, nil
		}
		if !another && r.newLine() {
			return false, nil
		}
	}
}

func (r *reader) snippet(name string) error {
	if _, again := r.snippets[name]; again {
		return r.errorf("snippet (%s) is declared twice", name)
	}
	if r.val() != "{" {
		return r.errorf("snippet (%s) has no {", name)
	}
	body := []caddyfile.Token{}
	for depth := 1; ; {
		if !r.next() {
			return r.errorf("snippet (%s) is not closed: a } is missing", name)
		}
		switch r.val() {
		case "{":
			depth++
		case "}":
			depth--
		}
		if depth == 0 {
			break
		}
		body = append(body, r.tokens[r.at])
	}
	if r.snippets == nil {
		r.snippets = map[string][]caddyfile.Token{}
	}
	r.snippets[name] = body
	return nil
}

func (r *reader) directives(b *caddyfile.ServerBlock) error {
	for r.next() {
		if r.val() == "}" {
			return nil
		}
		if r.val() == "import" {
			if err := r.splice(); err != nil {
				return err
			}
			continue
		}
		if err := r.directive(b); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) directive(b *caddyfile.ServerBlock) error {
	name := r.expand(r.val())
	b.Tokens[name] = append(b.Tokens[name], r.tokens[r.at])
	depth := 0
	for r.next() {
		switch v := r.val(); {
		case v == "{":
			depth++
		case r.newLine() && depth == 0:
			r.at--
			return nil
		case v == "}" && depth > 0:
			depth--
		case v == "}":
			return r.errorf("an unexpected }: there is no { that it closes")
		case v == "import" && r.newLine():
			if err := r.splice(); err != nil {
				return err
			}
			continue
		}
		t := r.tokens[r.at]
		t.Text = r.expand(t.Text)
		r.tokens[r.at] = t
		b.Tokens[name] = append(b.Tokens[name], t)
	}
	if depth > 0 {
		return r.errorf("the file ends inside the block of %s: a } is missing", name)
	}
	return nil
}
