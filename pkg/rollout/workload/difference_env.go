package workload

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// environment names the variables that differ: with their values where there
// are few and they are no secrets.
func environment(old, new *corev1.Container) []string {
	before, after := byName(old.Env, func(e corev1.EnvVar) string { return e.Name }), byName(new.Env, func(e corev1.EnvVar) string { return e.Name })
	changed := differing(before, after)
	var words []string
	if len(changed) > 2 {
		words = append(words, fmt.Sprintf("%d env values (%s)", len(changed), clip(strings.Join(changed, ", "), 40)))
	} else {
		for _, name := range changed {
			words = append(words, variable(name, before, after))
		}
	}
	if len(changed) == 0 && !equality.Semantic.DeepEqual(old.Env, new.Env) {
		words = append(words, "env values in another order") // $(VAR) sees only those before it
	}
	return append(words, differs("envFrom", old.EnvFrom, new.EnvFrom)...)
}

func variable(name string, before, after map[string]corev1.EnvVar) string {
	old, had := before[name]
	new, has := after[name]
	label := "env " + clip(name, 40)
	switch {
	case !had && (new.ValueFrom != nil || secret(name, new.Value)):
		return label + " added"
	case !had:
		return label + " added: " + shown(new.Value)
	case !has:
		return label + " removed"
	case old.ValueFrom != nil || new.ValueFrom != nil:
		if o, n := origin(old), origin(new); o != n {
			return fmt.Sprintf("%s %s → %s", label, o, n)
		}
		return label + " changed"
	case secret(name, old.Value) || secret(name, new.Value):
		return label + " changed"
	}
	return fmt.Sprintf("%s %s → %s", label, shown(old.Value), shown(new.Value))
}

// origin says where a value comes from, never what it is.
func origin(e corev1.EnvVar) string {
	switch f := e.ValueFrom; {
	case f == nil:
		return "a value"
	case f.SecretKeyRef != nil:
		return clip(fmt.Sprintf("from Secret/%s key %s", f.SecretKeyRef.Name, f.SecretKeyRef.Key), 60)
	case f.ConfigMapKeyRef != nil:
		return clip(fmt.Sprintf("from ConfigMap/%s key %s", f.ConfigMapKeyRef.Name, f.ConfigMapKeyRef.Key), 60)
	case f.FieldRef != nil:
		return clip("from "+f.FieldRef.FieldPath, 60)
	case f.ResourceFieldRef != nil:
		return clip("from "+f.ResourceFieldRef.Resource, 60)
	case f.FileKeyRef != nil:
		return clip(fmt.Sprintf("from file %s key %s", f.FileKeyRef.Path, f.FileKeyRef.Key), 60)
	}
	return "elsewhere"
}

func shown(value string) string {
	if value == "" {
		return `""`
	}
	return clip(value, 30)
}

var (
	// Names under which secrets are kept. KEY alone also names what is not
	// secret; where in doubt the value is not shown.
	secretName = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|cred|auth|private|salt|cert|cookie|session|signature|dsn|connection_?str|database_url|webhook|license`)
	// A long run of letters and digits mixed: keys, hashes, base64.
	tokenLike = regexp.MustCompile(`[A-Za-z0-9+/_=-]{20,}`)
	// Tokens say by their beginning what they are.
	tokenHead = regexp.MustCompile(`^(gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk[-_]|pk_|AKIA|ASIA|eyJ|hvs\.|-----BEGIN)`)
	// user:password@host
	loginInURL = regexp.MustCompile(`://[^/\s]*@|(?i)(password|pwd|token|secret|key|sig)=`)
)

// secret says whether a value may be one that must not be seen.
func secret(name, value string) bool {
	if secretName.MatchString(name) || tokenHead.MatchString(strings.TrimSpace(value)) || loginInURL.MatchString(value) {
		return true
	}
	return slices.ContainsFunc(tokenLike.FindAllString(value, -1), mixed)
}

// mixed tells a token from a word or a path: letters and digits take turns.
func mixed(s string) bool {
	turns, last := 0, 0
	for _, r := range s {
		kind := 0
		switch {
		case r >= '0' && r <= '9':
			kind = 1
		case r >= 'A' && r <= 'Z':
			kind = 2
		case r >= 'a' && r <= 'z':
			kind = 3
		}
		if kind != last && kind != 0 && last != 0 {
			turns++
		}
		if kind != 0 {
			last = kind
		}
	}
	return turns >= 4
}

func byName[T any](list []T, name func(T) string) map[string]T {
	m := make(map[string]T, len(list))
	for _, e := range list {
		m[name(e)] = e
	}
	return m
}

// differing are the names of what was added, removed or changed, in order.
func differing[T any](before, after map[string]T) []string {
	names := map[string]bool{}
	for name, old := range before {
		if new, ok := after[name]; !ok || !equality.Semantic.DeepEqual(old, new) {
			names[name] = true
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
