// Package sarif writes the findings of a report as SARIF 2.1.0, which code
// hosts show beside a change.
package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

type document struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool        tool         `json:"tool"`
	Invocations []invocation `json:"invocations"`
	Results     []result     `json:"results"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name           string `json:"name"`
	InformationURI string `json:"informationUri"`
	Rules          []rule `json:"rules"`
}

type rule struct {
	ID   string `json:"id"`
	Help text   `json:"help"`
}

type text struct {
	Text string `json:"text"`
}

// invocation says whether all was seen: what was not is a notification.
type invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []notification `json:"toolExecutionNotifications,omitempty"`
}

type notification struct {
	Level   string `json:"level"`
	Message text   `json:"message"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      text              `json:"message"`
	Locations    []location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	Physical physical  `json:"physicalLocation"`
	Logical  []logical `json:"logicalLocations"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   region   `json:"region"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine int `json:"startLine"`
}

type logical struct {
	Name     string `json:"name"`
	FullName string `json:"fullyQualifiedName"`
	Kind     string `json:"kind"`
}

// Render writes the findings, in their order, each with the object as its
// location: code hosts ask for a path, and the object's serves as one.
func Render(w io.Writer, r *report.Report, _ term.Style) error {
	one := run{Results: []result{}, Invocations: []invocation{{Successful: r.Verdict != report.Unknown}}}
	one.Tool.Driver = driver{Name: toolName(r.Kind), InformationURI: "https://github.com/leadsman-dev/leadsman", Rules: rules(r.Findings)}
	for _, g := range r.Gaps {
		one.Invocations[0].Notifications = append(one.Invocations[0].Notifications, notification{"warning", text{safe(gapText(g))}})
	}
	for _, f := range r.Findings {
		at := slices.IndexFunc(one.Tool.Driver.Rules, func(r rule) bool { return r.ID == safe(f.Code) })
		one.Results = append(one.Results, resultOf(f, at))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	doc := document{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []run{one}}
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("the report of %s as SARIF: %w", r.Target, err)
	}
	return nil
}

// toolName is the plugin's: "check-endpoints" for "CheckEndpoints".
func toolName(kind string) string {
	var b strings.Builder
	b.WriteString("leadsman ")
	for i, c := range safe(kind) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func rules(findings []finding.Finding) []rule {
	all := []rule{}
	for _, f := range findings {
		id := safe(f.Code)
		if !slices.ContainsFunc(all, func(r rule) bool { return r.ID == id }) {
			all = append(all, rule{ID: id, Help: text{"--explain " + id}})
		}
	}
	return all
}

func resultOf(f finding.Finding, at int) result {
	lines := []string{f.Object.String() + ": " + f.Message}
	if f.CausedBy != nil {
		lines = append(lines, fmt.Sprintf("follows from %s of %s", f.CausedBy.Code, f.CausedBy.Object))
	}
	for _, e := range f.Evidence {
		lines = append(lines, fmt.Sprintf("%s %s = %s", e.Object, e.Field, e.Value))
	}
	for _, fix := range f.Fix {
		lines = append(lines, fix.Word()+": "+strings.TrimSuffix(strings.TrimPrefix(fix.Description+": "+fix.Command, ": "), ": "))
	}
	for i, line := range lines {
		lines[i] = safe(line)
	}
	return result{
		RuleID: safe(f.Code), RuleIndex: at, Level: level(f.Severity), Message: text{strings.Join(lines, "\n")},
		Locations: []location{{
			Physical: physical{artifact{pathOf(f.Object)}, region{1}},
			Logical:  []logical{{Name: safe(f.Object.Name), FullName: safe(f.Object.Long()), Kind: "resource"}},
		}},
		Fingerprints: map[string]string{"finding/v1": safe(f.Code + " " + f.Object.Long())},
	}
}

func level(s finding.Severity) string {
	switch s {
	case finding.Error, finding.Warning:
		return string(s)
	}
	return "note"
}

// pathOf is a relative URI: "shop/service/web".
func pathOf(r object.Ref) string {
	var parts []string
	for _, part := range []string{r.Namespace, strings.ToLower(r.Kind), r.Name} {
		if part != "" {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return strings.Join(parts, "/")
}

func gapText(g report.Gap) string {
	what := strings.Trim(g.Namespace+"/"+g.Resource+"/"+g.Name, "/")
	if g.Detail != "" {
		return fmt.Sprintf("not seen: %s (%s): %s", what, g.Reason, g.Detail)
	}
	return fmt.Sprintf("not seen: %s (%s)", what, g.Reason)
}

// safe shows what a terminal would act on as its code.
func safe(s string) string { return term.Escape(s) }
