package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Answer is what a run printed with -o json, or as the last line of -o ndjson,
// as its readers know it, and how it exited.
type Answer struct {
	Exit     int       `json:"-"`
	Verdict  string    `json:"verdict"`
	Summary  string    `json:"summary"`
	Findings []Finding `json:"findings"`
	Rollouts []struct {
		Availability []struct {
			Service Named  `json:"service"`
			Verdict string `json:"verdict"`
			Summary string `json:"summary"`
		} `json:"availability"`
		WayBack struct {
			Refused string `json:"refused"`
			Command string `json:"command"`
		} `json:"wayBack"`
	} `json:"rollouts"`
}

// Finding is one claim.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Object   Named  `json:"object"`
	Message  string `json:"message"`
	Evidence []struct {
		Object Named `json:"object"`
	} `json:"evidence"`
	Fix      []Fix `json:"fix"`
	CausedBy *struct {
		Code string `json:"code"`
	} `json:"causedBy"`
}

// Named is an object of the case's namespace.
type Named struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// About are the objects that the claim rests on.
func (f Finding) About() []Named {
	objects := []Named{f.Object}
	for _, e := range f.Evidence {
		objects = append(objects, e.Object)
	}
	return objects
}

// Fix is a way out.
type Fix struct {
	Description string `json:"description"`
	Command     string `json:"command"`
}

// ReadAnswer reads the document that a run printed.
func ReadAnswer(printed []byte, exit int) (Answer, error) {
	text := strings.TrimSpace(string(printed))
	if i := strings.LastIndexByte(text, '\n'); i >= 0 && !strings.HasPrefix(text, "{\n") {
		text = text[i+1:] // the stream ends with the document
	}
	a := Answer{Exit: exit}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("no document: %w: %.300s", err, text)
	}
	return a, nil
}

// Find is the first finding with that code.
func (a Answer) Find(code string) (Finding, bool) {
	i := slices.IndexFunc(a.Findings, func(f Finding) bool { return f.Code == code })
	if i < 0 {
		return Finding{}, false
	}
	return a.Findings[i], true
}

// WaysBack undo a rollout that failed.
func (a Answer) WaysBack() []Fix {
	var ways []Fix
	for _, r := range a.Rollouts {
		if r.WayBack.Command != "" && r.WayBack.Refused == "" {
			ways = append(ways, Fix{Description: "go back", Command: r.WayBack.Command})
		}
	}
	return ways
}

// Outline is the answer in few lines.
func (a Answer) Outline() string {
	var b strings.Builder
	fmt.Fprintf(&b, "exit code %d, %s: %s\n", a.Exit, a.Verdict, a.Summary)
	for _, f := range a.Findings {
		fmt.Fprintf(&b, "  %s %s %s/%s: %s", f.Severity, f.Code, f.Object.Kind, f.Object.Name, f.Message)
		if f.CausedBy != nil {
			fmt.Fprintf(&b, " (caused by %s)", f.CausedBy.Code)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Differs says what of the answer is not as it must be.
func (c Case) Differs(a Answer) error {
	for _, code := range c.Never {
		if _, said := a.Find(code); said {
			return fmt.Errorf("%s is said", code)
		}
	}
	if c.Exit != nil && a.Exit != *c.Exit {
		return fmt.Errorf("exit code %d instead of %d", a.Exit, *c.Exit)
	}
	if c.Held {
		if err := held(a); err != nil {
			return err
		}
	}
	if c.Healthy {
		return Accused(a, c.Mild, c.Exit != nil)
	}
	first, err := c.first(a)
	if err != nil {
		return err
	}
	if !regexp.MustCompile("(?i)" + c.Says).MatchString(a.Summary + "\n" + first.Message) {
		return fmt.Errorf("neither the summary nor the finding says %q", c.Says)
	}
	if c.Exit == nil && c.Plugin != "explain-tree" && first.Severity == "error" && a.Exit != 2 {
		return fmt.Errorf("exit code %d instead of 2", a.Exit)
	}
	for _, code := range c.Follows {
		if f, said := a.Find(code); !said || f.CausedBy == nil {
			return fmt.Errorf("%s is not told as a consequence", code)
		}
	}
	for _, code := range c.Also {
		if _, said := a.Find(code); !said {
			return fmt.Errorf("%s is not said", code)
		}
	}
	return nil
}

// held says which Service lost endpoints, while the old revision was to serve.
func held(a Answer) error {
	for _, r := range a.Rollouts {
		for _, s := range r.Availability {
			if s.Verdict == "broken" {
				return fmt.Errorf("service/%s is said to have lost service: %s", s.Service.Name, s.Summary)
			}
		}
	}
	return nil
}

func (c Case) first(a Answer) (Finding, error) {
	if len(a.Findings) == 0 {
		return Finding{}, fmt.Errorf("nothing is found instead of %s", c.First)
	}
	first := a.Findings[0]
	switch {
	case first.Code != c.First:
		return first, fmt.Errorf("%s comes first instead of %s", first.Code, c.First)
	case c.Object != "" && first.Object.Kind != c.Object:
		return first, fmt.Errorf("it is said of %s/%s instead of a %s", first.Object.Kind, first.Object.Name, c.Object)
	case c.Severity != "" && first.Severity != c.Severity:
		return first, fmt.Errorf("its severity is %s instead of %s", first.Severity, c.Severity)
	case len(first.Evidence) == 0:
		return first, errors.New("it has no evidence")
	case first.Severity == "error" && a.Verdict != "broken":
		return first, fmt.Errorf("the verdict is %s", a.Verdict)
	case first.Severity != "info" && len(first.Fix) == 0:
		return first, errors.New("it says no way out")
	}
	return first, nil
}

// Accused says what a healthy thing is accused of. A mild one may have warnings
// and be under way; where the exit code is judged apart, it is left out.
func Accused(a Answer, mild, exitJudged bool) error {
	for _, f := range a.Findings {
		if f.Severity == "error" || f.Severity == "warning" && !mild {
			return fmt.Errorf("the healthy is accused of %s: %s", f.Code, f.Message)
		}
	}
	switch {
	case a.Verdict != "ok" && !(mild && a.Verdict == "progressing"):
		return fmt.Errorf("the verdict on the healthy is %s", a.Verdict)
	case !exitJudged && a.Exit != 0:
		return fmt.Errorf("exit code %d of the healthy", a.Exit)
	}
	return nil
}

// Wronged is the error that an answer puts first before the root cause is
// certain, unless the case allows for it: a false accusation.
func (c Case) Wronged(a Answer) string {
	if len(a.Findings) == 0 || a.Findings[0].Severity != "error" {
		return ""
	}
	first := a.Findings[0]
	if first.Code == c.First || slices.Contains(c.Before, first.Code) {
		return ""
	}
	return fmt.Sprintf("%s of %s/%s: %s", first.Code, first.Object.Kind, first.Object.Name, first.Message)
}
