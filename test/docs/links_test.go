package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
	marks   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	links := 0
	eachPage(t, func(page, text string) {
		for _, found := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			path, section, _ := strings.Cut(found[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(path))
			}
			if _, err := os.Stat(filepath.Join(top, target)); err != nil {
				t.Errorf("%s: %s is not there", page, found[1])
				continue
			}
			if section != "" && !hasSection(read(t, target), section) {
				t.Errorf("%s: %s has no such section", page, found[1])
			}
		}
	})
	if links < 1000 {
		t.Errorf("only %d links were found", links)
	}
}

// hasSection knows how GitHub makes an anchor of a heading.
func hasSection(text, anchor string) bool {
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}
