package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// lastWords are the last lines of the log of the container that ended, and the
// field under which they are cited. The current log is only the second choice:
// it may be that of a container that has been started since.
func (p *patient) lastWords(u unit) (lines []string, field string) {
	for _, previous := range []bool{true, false} {
		if !previous && u.status.State.Running != nil {
			break
		}
		text, ok := p.v.Log(p.pod.UID, u.spec.Name, previous)
		if !ok {
			continue
		}
		if lines := tail(text, 8); len(lines) > 0 {
			return lines, fmt.Sprintf("log of container %s%s", u.spec.Name, map[bool]string{true: " (previous)"}[previous])
		}
	}
	return nil, ""
}

// tail are the last non-empty lines of a text, in order.
func tail(text string, n int) []string {
	var lines []string
	for len(text) > 0 && len(lines) < n {
		i := strings.LastIndexByte(text, '\n')
		if line := strings.TrimRight(text[i+1:], " \t\r"); line != "" {
			lines = append(lines, line)
		}
		text = text[:max(i, 0)]
	}
	slices.Reverse(lines)
	return lines
}

var (
	fileMissing     = regexp.MustCompile(`(?i)no such file or directory|FileNotFound|ENOENT|cannot find (the )?(file|module)|file .{1,80} (does not exist|not found)|NoSuchFileException`)
	diskFull        = regexp.MustCompile(`(?i)no space left on device|ENOSPC|disk quota exceeded`)
	variableMissing = regexp.MustCompile(`(?i)(environment|env\.?) ?(variable|var)s? .{0,60}(not set|missing|required|undefined|empty)|(missing|required|undefined|unset) .{0,20}(environment|env) ?(variable|var)|[A-Z][A-Z0-9_]{2,} (is |was |must be |is required|not )?(not )?(set|missing|required|undefined|unset|unbound)\b|[A-Z][A-Z0-9_]{2,}: (unbound variable|parameter not set)|KeyError: '[A-Z][A-Z0-9_]+'`)
	complaint       = regexp.MustCompile(`(?i)error|fatal|panic|exception|denied|refused|cannot|can't|could not|failed|no such`)
)

// tellingLine is the last line that says that something is missing, else the
// last one that complains, else the last.
func tellingLine(lines []string) string {
	for _, telling := range []func(string) bool{
		func(l string) bool {
			return fileMissing.MatchString(l) || variableMissing.MatchString(l) || diskFull.MatchString(l)
		},
		complaint.MatchString,
	} {
		for _, l := range slices.Backward(lines) {
			if telling(l) {
				return l
			}
		}
	}
	return lines[len(lines)-1]
}

func missingHint(line string) string {
	switch {
	case strings.Contains(line, "exec format error"):
		return "the program is built for another kind of processor than the node's, or is no program: use an image for this platform"
	case diskFull.MatchString(line):
		return "the log says that a volume or the node's disk is full: free some of it, or enlarge the claim"
	case variableMissing.MatchString(line):
		return "the log says that an environment variable is missing: check env and envFrom of the container, and the ConfigMaps and Secrets that they name"
	case fileMissing.MatchString(line):
		return "the log says that a file is missing: check volumeMounts of the container, and the ConfigMaps, Secrets and claims that they mount"
	}
	return ""
}
