package workload

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

func resources(prefix string, old, new corev1.ResourceRequirements) []string {
	words := quantities(prefix, "request", old.Requests, new.Requests)
	words = append(words, quantities(prefix, "limit", old.Limits, new.Limits)...)
	return append(words, differs(prefix+"resource claims", old.Claims, new.Claims)...)
}

func quantities(prefix, what string, old, new corev1.ResourceList) []string {
	names := map[corev1.ResourceName]bool{}
	for _, list := range []corev1.ResourceList{old, new} {
		for name := range list {
			names[name] = true
		}
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := old[name]
		after, has := new[name]
		if had == has && before.Cmp(after) == 0 {
			continue
		}
		words = append(words, one(prefix+string(name)+" "+what, amount(had, before.String()), amount(has, after.String()))...)
	}
	return words
}

func amount(is bool, s string) string {
	if !is {
		return ""
	}
	return s
}

// probe names the numbers that differ; another way of asking is told as such.
func probe(kind string, old, new *corev1.Probe) []string {
	what := kind + " probe"
	switch {
	case equality.Semantic.DeepEqual(old, new):
		return nil
	case old == nil:
		return []string{what + " added"}
	case new == nil:
		return []string{what + " removed"}
	}
	var words []string
	if !equality.Semantic.DeepEqual(old.ProbeHandler, new.ProbeHandler) {
		words = append(words, handler(old, new))
	}
	for _, n := range []struct {
		name     string
		old, new int32
	}{
		{"initial delay", old.InitialDelaySeconds, new.InitialDelaySeconds},
		{"period", old.PeriodSeconds, new.PeriodSeconds},
		{"timeout", old.TimeoutSeconds, new.TimeoutSeconds},
	} {
		if n.old != n.new {
			words = append(words, fmt.Sprintf("%s %d s → %d s", n.name, n.old, n.new))
		}
	}
	if old.FailureThreshold != new.FailureThreshold {
		words = append(words, fmt.Sprintf("failures %d → %d", old.FailureThreshold, new.FailureThreshold))
	}
	if len(words) != 1 {
		return []string{what + " changed"}
	}
	return []string{what + " " + words[0]}
}

func handler(old, new *corev1.Probe) string {
	a, b := old.HTTPGet, new.HTTPGet
	switch {
	case a == nil || b == nil:
		return "changed"
	case a.Path != b.Path && a.Port == b.Port:
		return fmt.Sprintf("path %s → %s", shown(a.Path), shown(b.Path))
	case a.Path == b.Path && a.Port != b.Port:
		return fmt.Sprintf("port %s → %s", shown(a.Port.String()), shown(b.Port.String()))
	}
	return "changed"
}

// command shows one argument that differs and is no secret.
func command(what string, old, new []string) []string {
	if slices.Equal(old, new) {
		return nil
	}
	if len(old) != len(new) {
		return []string{what + " changed"}
	}
	at := -1
	for i := range old {
		switch {
		case old[i] == new[i]:
		case at >= 0:
			return []string{what + " changed"}
		default:
			at = i
		}
	}
	flag := ""
	if at > 0 {
		flag = old[at-1] // of "--password VALUE"
	}
	if secret(flag, old[at]) || secret(old[at], "") || secret(flag, new[at]) || secret(new[at], "") || len(old[at]) > 40 || len(new[at]) > 40 {
		return []string{what + " changed"}
	}
	return []string{fmt.Sprintf("%s %s → %s", what, shown(old[at]), shown(new[at]))}
}
