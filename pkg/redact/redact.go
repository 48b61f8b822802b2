// Package redact takes what is secret out of text that strangers wrote:
// messages, logs, commands, addresses. Whatever is printed, saved or recorded
// went through it.
package redact

import (
	"path"
	"regexp"
	"strings"
)

// Mark stands where something secret was.
const Mark = "(redacted)"

// secretName are names under which secrets are kept.
var secretName = regexp.MustCompile(`(?i)token|passw|pwd|passphrase|secret|credential|authorization|cookie|dsn$|connection_?string|api_?key|(^|[_-])(key|auth|pass)([_-]|$)|(?-i:[a-z](Key|Auth))$`)

// Name says whether what stands under a name is secret: an environment
// variable, a header, a flag.
func Name(name string) bool { return secretName.MatchString(name) }

// secretField is narrower: secretName, key and tokenRef are fields that lead to
// a secret and hold none.
var secretField = regexp.MustCompile(`(?i)(^|[a-z0-9_.-])(passw(or)?d|passphrase|pwd|token|(api|access|private)[_.-]?key|client[_.-]?secret)$`)

// Field says whether a string that stands under a field of an object, or under
// a key of a ConfigMap, is secret.
func Field(name string) bool { return secretField.MatchString(name) }

var (
	pem     = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)`)
	scheme  = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)([A-Za-z0-9._~+/=-]{8,})`)
	jwt     = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?`)
	prefix  = regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|gh[a-z]_[0-9A-Za-z]{16,}|github_pat_[0-9A-Za-z_]{16,}|glpat-[0-9A-Za-z_-]{16,}|xox[a-z]-[0-9A-Za-z-]{10,}|sk_(?:live|test)_[0-9A-Za-z]{10,}|hvs\.[0-9A-Za-z_-]{16,}|npm_[0-9A-Za-z]{20,}|dckr_(?:pat|jti)_[0-9A-Za-z_-]+|sha256~[0-9A-Za-z_-]{16,})`)
	userURL = regexp.MustCompile(`(://)[^/\s:@"']*:[^/\s"']*@`)
	cutURL  = regexp.MustCompile(`(://)[^/\s:@"']*:[^/\s@"'…]*[^/\s@"'…0-9][^/\s@"'…]*…`) // shortened before the @
	account = regexp.MustCompile(`(?i)(rate limit as )('[^']*'|"[^"]*"|[^\s:]+)(: *[^\s.]+)?`)
	client  = regexp.MustCompile(`\b((?:mysql|mariadb)[\w-]*\b[^\n|;&]*?\s-p|redis-cli\b[^\n|;&]*?\s(?:-a|--pass)\s+|mongo(?:sh|dump|restore)?\b[^\n|;&]*?\s-p\s+)('[^']*'|"[^"]*"|[^\s'"]+)`)
	plugin  = regexp.MustCompile(`(?m)^(\s*(?:credentials|aws_access_key|secret)\s+\S+\s+)(\S+)\s*$`) // of CoreDNS: etcd, route53, tsig
	pair    = regexp.MustCompile(`(?i)([\w.-]*(?:passw(?:or)?d|passphrase|pwd|token|secret|credentials?|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*\\?["']?\s*)([=:])(\s*)(\\"(?:[^"\\]|\\\\(?:\\.|.))*(?:\\")?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&"']+)`)
	flag    = regexp.MustCompile(`(?i)(\s--?[\w.-]*(?:passw(?:or)?d|passphrase|pwd|token|secret|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*\s+)('[^']*'|"[^"]*"|[^\s'"-][^\s'"]*)`)
)

// Text is text without what looks like a secret in it. Where it was, Mark
// stands. Redacting redacted text changes nothing.
func Text(s string) string {
	if !suspicious(s) {
		return s
	}
	s = pem.ReplaceAllString(s, Mark)
	s = scheme.ReplaceAllStringFunc(s, credentials)
	s = jwt.ReplaceAllString(s, Mark)
	s = account.ReplaceAllString(s, "${1}'(account)'")
	s = prefix.ReplaceAllString(s, Mark)
	s = userURL.ReplaceAllString(s, "$1"+Mark+"@")
	s = cutURL.ReplaceAllString(s, "$1"+Mark+"…")
	s = client.ReplaceAllStringFunc(s, func(match string) string { return after(client, match) })
	s = plugin.ReplaceAllStringFunc(s, func(match string) string { return after(plugin, match) })
	s = flag.ReplaceAllStringFunc(s, func(match string) string { return after(flag, match) })
	return pair.ReplaceAllStringFunc(s, assigned)
}

// Every secret above has one of these in it: tokens that stand alone, and
// words that lead to a secret, in lower case, which need a sign between.
var (
	heads = []string{"eyJ", "AKIA", "ASIA", "AIza", "glpat-", "xox", "sk_", "hvs.", "npm_", "dckr_", "sha256~"}
	leads = []string{
		"passw", "passphrase", "pwd", "token", "secret", "credential", "key", "bearer", "basic", "-----begin", "://",
		"rate limit as", "mysql", "mariadb", "redis-cli", "mongo",
	}
)

// suspicious is the quick way out for what can hold no secret, which is nearly
// everything: names, states, numbers.
func suspicious(s string) bool {
	if len(s) < 8 {
		return false
	}
	for _, head := range heads {
		if strings.Contains(s, head) {
			return true
		}
	}
	// Names of pods hold "gh" often, and never what follows it in a token.
	if strings.Contains(s, "_") && strings.Contains(s, "gh") {
		return true
	}
	if !strings.ContainsAny(s, " \t=:") {
		return false
	}
	s = strings.ToLower(s)
	for _, lead := range leads {
		if strings.Contains(s, lead) {
			return true
		}
	}
	return false
}

// credentials tells "basic authentication" from a header.
func credentials(match string) string {
	m := scheme.FindStringSubmatch(match)
	if strings.Trim(m[3], "abcdefghijklmnopqrstuvwxyz.-") == "" {
		return match
	}
	return m[1] + m[2] + Mark
}

// after keeps what leads to a secret, and replaces the rest.
func after(re *regexp.Regexp, match string) string {
	m := re.FindStringSubmatch(match)
	if reference(strings.Trim(m[2], `'"`)) {
		return match
	}
	return m[1] + Mark
}

// reference says that a value is none itself: a variable, or redacted already.
func reference(value string) bool {
	return strings.HasPrefix(value, "$") || strings.HasPrefix(value, Mark)
}

// assigned redacts password=hunter2 and "token": "…".
func assigned(match string) string {
	m := pair.FindStringSubmatch(match)
	value := m[4]
	// "token: expired" is prose, "password: hunter22" is not.
	prose := m[2] == ":" && !strings.ContainsAny(value, `0123456789"'`)
	if prose || reference(strings.Trim(value, `\"'`)) {
		return match
	}
	quote := value[:len(value)-len(strings.TrimLeft(value, `\"'`))]
	return m[1] + m[2] + m[3] + quote + Mark + quote
}

// Args is a command line, word by word, without the secrets in it.
func Args(words []string) []string {
	out := make([]string, len(words))
	program := ""
	for i, w := range words {
		switch {
		case i > 0 && !reference(w) && follows(program, words[i-1], w):
			out[i] = Mark
		case clientOf(program, "mysql", "mariadb") && strings.HasPrefix(w, "-p") && len(w) > 2 && !reference(w[2:]):
			out[i] = "-p" + Mark
		default:
			out[i] = Text(w)
		}
		if name := path.Base(w); program == "" || clientOf(name, "mysql", "mariadb", "redis-cli", "mongo") {
			program = name
		}
	}
	return out
}

// follows says whether a word is the value of the flag before it.
func follows(program, flag, word string) bool {
	switch {
	case !strings.HasPrefix(flag, "-") || strings.HasPrefix(word, "-"):
		return false
	case !strings.Contains(flag, "=") && Name(flag):
		return true
	}
	return flag == "-a" && clientOf(program, "redis-cli") || flag == "-p" && clientOf(program, "mongo")
}

func clientOf(program string, names ...string) bool {
	for _, name := range names {
		if strings.HasPrefix(program, name) {
			return true
		}
	}
	return false
}
