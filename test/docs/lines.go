package main

import (
	"fmt"
	"regexp"
	"strings"
)

// shown is a command line in a block of a page.
type shown struct {
	page string
	line string
}

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```")

// linesOf are the command lines of a page's blocks, without comments; lines
// that go on behind a backslash are one. In a console they stand behind "$ ".
func linesOf(page, text string) []shown {
	var all []shown
	for _, b := range block.FindAllStringSubmatch(text, -1) {
		language, lines := b[1], strings.ReplaceAll(b[2], "\\\n", "")
		if language != "console" && language != "sh" && language != "bash" && language != "powershell" {
			continue
		}
		for line := range strings.Lines(lines) {
			command, typed := strings.CutPrefix(line, "$ ")
			if typed != (language == "console") {
				continue
			}
			command, _, _ = strings.Cut(" "+command, " #")
			for one := range strings.SplitSeq(command, " && ") {
				if one = strings.TrimSpace(one); one != "" {
					all = append(all, shown{page, one})
				}
			}
		}
	}
	return all
}

// ours is the plugin that a line runs, by kubectl or by itself, and the words
// behind it, without where the shell puts its output.
func (s shown) ours() (command, []string, bool) {
	words := strings.Fields(s.line)
	if words[0] == "kubectl" && len(words) > 1 {
		words = words[1:]
	} else if own, ok := strings.CutPrefix(words[0], "kubectl-"); ok {
		words[0] = strings.ReplaceAll(own, "_", "-")
	}
	c, err := called(words[0])
	if err != nil {
		return command{}, nil, false
	}
	for i, word := range words {
		if word == ">" || word == "|" {
			return c, words[1:i], true
		}
	}
	return c, words[1:], true
}

func (s shown) String() string { return fmt.Sprintf("%s: %s", s.page, s.line) }
