package snapshot

import (
	"encoding/json"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const redacted = "(redacted)"

// redactObject takes out of an object what a snapshot must not carry:
//   - all of a Secret but its metadata;
//   - of the last applied configuration, all but the version that removed-api needs;
//   - values of environment variables whose name sounds secret, wherever a
//     container is described: pods, templates, ControllerRevisions, custom kinds;
//   - token-like text in other values, arguments, probes and messages.
func redactObject(gk schema.GroupKind, content map[string]any) {
	if gk == secret {
		for key := range content {
			if key != "apiVersion" && key != "kind" && key != "metadata" {
				delete(content, key)
			}
		}
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			redactApplied(annotations)
		}
	}
	redactTree(content)
}

func redactApplied(annotations map[string]any) {
	applied, ok := annotations[corev1.LastAppliedConfigAnnotation].(string)
	if !ok {
		return
	}
	var version struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if json.Unmarshal([]byte(applied), &version) != nil {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		return
	}
	short, _ := json.Marshal(version)
	annotations[corev1.LastAppliedConfigAnnotation] = string(short)
}

func redactTree(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			switch key {
			case "env", "httpHeaders":
				redactEnv(value)
			case "args", "command":
				redactStrings(value)
			case "message":
				if s, ok := value.(string); ok {
					v[key] = redactText(s)
				}
			}
			redactTree(value)
		}
	case []any:
		for _, e := range v {
			redactTree(e)
		}
	}
}

func redactEnv(v any) {
	list, _ := v.([]any)
	for _, e := range list {
		variable, _ := e.(map[string]any)
		name, _ := variable["name"].(string)
		value, ok := variable["value"].(string)
		switch {
		case !ok || value == "" || strings.HasPrefix(value, "$("):
		case secretName.MatchString(name):
			variable["value"] = redacted
		default:
			variable["value"] = redactText(value)
		}
	}
}

func redactStrings(v any) {
	list, _ := v.([]any)
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			continue
		}
		list[i] = redactText(s)
		if i > 0 && isSecretFlag(list[i-1]) && !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "$(") {
			list[i] = redacted
		}
	}
}

// redactEvery redacts all text in a document that strangers wrote as a whole.
func redactEvery(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = redactEvery(value)
		}
	case []any:
		for i, value := range v {
			v[i] = redactEvery(value)
		}
	case string:
		return redactText(v)
	}
	return v
}

// isSecretFlag says whether an argument is a flag whose value follows it.
func isSecretFlag(v any) bool {
	flag, _ := v.(string)
	return strings.HasPrefix(flag, "-") && !strings.Contains(flag, "=") && secretName.MatchString(flag)
}

var (
	secretName = regexp.MustCompile(`(?i)token|passw|pwd|passphrase|secret|credential|authorization|cookie|dsn$|connection_?string|api_?key|(^|[_-])(key|auth|pass)([_-]|$)|(?-i:[a-z](Key|Auth))$`)

	bearer  = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}`)
	jwt     = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?`)
	awsKey  = regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)
	userURL = regexp.MustCompile(`(://)[^/\s:@"']*:[^/\s@"']+@`)
	pem     = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)`)
	pair    = regexp.MustCompile(`(?i)([\w.-]*(?:passw(?:or)?d|passphrase|pwd|token|secret|credentials?|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*\\?["']?\s*)([=:])(\s*)(\\?"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&"']+)`)
)

// redactText takes token-like strings out of text such as a log.
func redactText(s string) string {
	s = pem.ReplaceAllString(s, redacted)
	s = bearer.ReplaceAllString(s, "$1$2"+redacted)
	s = jwt.ReplaceAllString(s, redacted)
	s = awsKey.ReplaceAllString(s, redacted)
	s = userURL.ReplaceAllString(s, "$1"+redacted+"@")
	return pair.ReplaceAllStringFunc(s, func(match string) string {
		m := pair.FindStringSubmatch(match)
		value := m[4]
		// "token: expired" is prose, "password: hunter22" is not.
		prose := m[2] == ":" && !strings.ContainsAny(value, `0123456789"'`)
		bare := strings.Trim(value, `\"'`)
		if prose || strings.HasPrefix(bare, "$(") || strings.HasPrefix(bare, redacted) {
			return match
		}
		quote := value[:len(value)-len(strings.TrimLeft(value, `\"'`))]
		return m[1] + m[2] + m[3] + quote + redacted + quote
	})
}
