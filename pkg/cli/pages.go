package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/source"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Explain prints the page of one code, or the list of all.
func (e *Env) Explain(docs []finding.Doc, code string, mode term.ColorMode) error {
	style := e.Streams.Style(mode)
	if code == "all" {
		for _, d := range docs {
			if _, err := fmt.Fprintf(e.Streams.Out, "%-36s %-8s %s\n", d.Code, severity(d), d.Title); err != nil {
				return err
			}
		}
		return nil
	}
	i := slices.IndexFunc(docs, func(d finding.Doc) bool { return d.Code == code || strings.HasSuffix(d.Code, "/"+code) })
	if i < 0 {
		var codes []string
		for _, d := range docs {
			codes = append(codes, d.Code)
		}
		if close := source.Close(codes, code); len(close) > 0 {
			return fmt.Errorf("there is no finding %q; did you mean %s?", code, close[0])
		}
		return fmt.Errorf("there is no finding %q; list them with: %s --explain all", code, e.Display)
	}
	_, err := e.Streams.Out.Write([]byte(page(docs[i], style)))
	return err
}

func page(d finding.Doc, style term.Style) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%s)\n%s\n", style.Paint(term.Bold, d.Code), severity(d), d.Title)
	for _, part := range []struct{ title, text string }{
		{"What it means", d.Means}, {"How it is told", d.Told}, {"What to do", d.Fix}, {"Source", d.Source},
	} {
		if part.text == "" {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", style.Paint(term.Bold, part.title))
		for _, line := range term.Wrap(part.text, min(78, widthOr(style.Width, 78))) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}

// severity is that of a page; one without is of what no finding tells.
func severity(d finding.Doc) finding.Severity { return cmp.Or(d.Severity, "not told") }

func widthOr(width, otherwise int) int {
	if width == 0 {
		return otherwise
	}
	return width - 2
}

// PrintRBAC prints the ClusterRole that lets a command see the kinds. Custom
// kinds are read where they are found; their rights are the cluster's to give.
func (e *Env) PrintRBAC(name string, kinds []source.Kind, watches bool, rules ...rbacv1.PolicyRule) error {
	verbs := []string{"get", "list"}
	if watches {
		verbs = append(verbs, "watch")
	}
	byGroup := map[string][]string{}
	var groups []string
	for _, k := range kinds {
		if byGroup[k.Group] == nil {
			groups = append(groups, k.Group)
		}
		if !slices.Contains(byGroup[k.Group], k.Resource) {
			byGroup[k.Group] = append(byGroup[k.Group], k.Resource)
		}
	}
	slices.Sort(groups)
	role := rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	for _, g := range groups {
		slices.Sort(byGroup[g])
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{g}, Resources: byGroup[g], Verbs: verbs})
	}
	role.Rules = append(role.Rules, rules...)
	doc, err := yaml.Marshal(role)
	if err != nil {
		return fmt.Errorf("cannot write the ClusterRole: %w", err)
	}
	_, err = e.Streams.Out.Write(doc)
	return err
}
