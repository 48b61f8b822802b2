package dns

import (
	"path"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// splice puts what is imported in the place of the import directive. The next
// token is then the first of what was imported.
func (r *reader) splice() error {
	start := r.at
	if !r.nextArg() {
		return r.errorf("import without a file or snippet")
	}
	pattern := r.expand(r.val())
	if pattern == "" {
		return r.errorf("import without a file or snippet")
	}
	end := r.at + 1
	if r.nextArg() {
		return r.errorf("import takes one argument")
	}
	if r.imports++; r.imports > maxImports {
		return r.errorf("imports go deeper than %d", maxImports)
	}
	body, err := r.imported(pattern)
	if err != nil {
		return err
	}
	if len(r.tokens)+len(body) > maxTokens {
		return r.errorf("the imports make too large a file")
	}
	spliced := append([]caddyfile.Token{}, r.tokens[:start]...)
	spliced = append(append(spliced, body...), r.tokens[end:]...)
	r.tokens, r.at = spliced, start-1
	return nil
}

func (r *reader) imported(pattern string) ([]caddyfile.Token, error) {
	if body, ok := r.snippets[pattern]; ok {
		return body, nil
	}
	from := r.file
	if f := r.tokens[r.at].File; f != "" {
		from = f
	}
	if !path.IsAbs(pattern) {
		pattern = path.Join(path.Dir(from), pattern)
	}
	var body []caddyfile.Token
	found := false
	for _, name := range sortedKeys(r.files) {
		if ok, err := path.Match(pattern, name); err != nil {
			return nil, r.errorf("%q is no pattern of files", pattern)
		} else if !ok {
			continue
		}
		found = true
		for _, t := range lex(r.files[name]) {
			t.File = name
			body = append(body, t)
		}
	}
	if !found {
		r.missing = append(r.missing, pattern)
	}
	return body, nil
}

// expand replaces {$NAME} and {%NAME%} by what the pod's spec says.
func (r *reader) expand(s string) string {
	for _, form := range [][2]string{{"{%", "%}"}, {"{$", "}"}} {
		var b strings.Builder
		for {
			before, rest, ok := strings.Cut(s, form[0])
			name, after, closed := strings.Cut(rest, form[1])
			if !ok || !closed || name == "" {
				break
			}
			value, known := "", false
			if r.env != nil {
				value, known = r.env(name)
			}
			if !known {
				r.unknown = append(r.unknown, name)
			}
			b.WriteString(before + value)
			s = after
		}
		b.WriteString(s)
		s = b.String()
	}
	return s
}
