package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Resolve finds the kind that a user means by a type such as "deploy",
// "Deployment", "deployments.apps" or "widgets.v1.example.com". Kinds earlier
// in the list win, as in kubectl. The error says which types are close.
func Resolve(kinds []Kind, name string) (Kind, error) {
	want := strings.ToLower(name)
	for _, k := range kinds {
		if answersTo(k, want) {
			return k, nil
		}
	}
	msg := fmt.Sprintf("the server has no resource type %q", name)
	if close := closest(kinds, want); close != "" {
		return Kind{}, fmt.Errorf("%s; did you mean %q?", msg, close)
	}
	return Kind{}, fmt.Errorf("%s; list them with: kubectl api-resources", msg)
}

func answersTo(k Kind, want string) bool {
	base, group, qualified := strings.Cut(want, ".")
	if qualified && group != k.Group && group != k.Version+"."+k.Group && (k.Group != "" || group != k.Version) {
		return false
	}
	if base == k.Resource || base == k.Singular || base == strings.ToLower(k.Kind) {
		return true
	}
	return !qualified && slices.Contains(k.Short, base)
}

func closest(kinds []Kind, want string) string {
	best, bestDistance := "", 3
	for _, k := range kinds {
		for _, candidate := range append([]string{k.Resource, k.Singular}, k.Short...) {
			if len(candidate) <= 3 && len(want) > 3 {
				continue
			}
			if d := Distance(want, candidate); d < bestDistance && d < len(want) {
				best, bestDistance = candidate, d
			}
		}
	}
	return best
}

// Distance is the number of single edits (insert, delete, change, or swap of
// neighbours) that turn one word into the other: optimal string alignment.
func Distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// Close are the names nearest to want, nearest first, at most three.
func Close(names []string, want string) []string {
	type scored struct {
		name  string
		score int
	}
	var near []scored
	for _, n := range names {
		d := Distance(strings.ToLower(want), strings.ToLower(n))
		related := len(want) >= 4 && len(n) >= 4 && (strings.HasPrefix(n, want) || strings.HasPrefix(want, n))
		if n != want && (d <= max(2, len(want)/3) || related) {
			near = append(near, scored{n, d})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.name, b.name))
	})
	names = names[:0:0]
	for _, s := range near[:min(3, len(near))] {
		names = append(names, s.name)
	}
	return names
}
