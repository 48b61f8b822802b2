// Package term knows the terminal: the streams, whether they are one, how wide
// it is, whether it shows colour and Unicode, and how to write a stranger's
// text to it without harm. It is the only reader of the environment.
package term

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	xterm "golang.org/x/term"
)

// Streams are what a command reads and writes, with the environment that says
// how. Tests give buffers and a Getenv of their own.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string // nil is an empty environment

	// Columns is the width of an Out that is no terminal and is looked at like
	// one, such as a picture; 0 leaves it to Out.
	Columns int
}

// System is the process's own streams and environment.
func System() Streams {
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
}

// Env reads one variable; it is empty where there is no environment.
func (s Streams) Env(name string) string {
	if s.Getenv == nil {
		return ""
	}
	return s.Getenv(name)
}

// IsTerminal says whether a stream (a reader or a writer) is a terminal.
func IsTerminal(stream any) bool {
	fd, ok := descriptor(stream)
	return ok && xterm.IsTerminal(fd)
}

// Size is the width and height of the terminal behind stream, in cells; ok is
// false where it is none or does not tell.
func Size(stream any) (width, height int, ok bool) {
	fd, isFile := descriptor(stream)
	if !isFile {
		return 0, 0, false
	}
	width, height, err := xterm.GetSize(fd)
	return width, height, err == nil && width > 0 && height > 0
}

// InPlace says whether Out is a screen that can be drawn over.
func (s Streams) InPlace() bool {
	return IsTerminal(s.Out) && s.Env("TERM") != "dumb" && interpretsEscapes(s.Out)
}

// Interactive says whether somebody looks on and can be asked.
func (s Streams) Interactive() bool { return IsTerminal(s.In) && s.InPlace() }

func descriptor(stream any) (int, bool) {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	return int(f.Fd()), true
}

// defaultWidth serves terminals that do not tell their width, such as serial
// consoles.
const defaultWidth = 80

// width of the output in cells; 0 is unlimited. What is piped is never cut,
// whatever COLUMNS says: the next program wants all of it.
func (s Streams) width() int {
	if s.Columns > 0 {
		return s.Columns
	}
	if !IsTerminal(s.Out) {
		return 0
	}
	if n, err := strconv.Atoi(s.Env("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if w, _, ok := Size(s.Out); ok {
		return w
	}
	return defaultWidth
}

// ColorMode is the value of --color. It is a pflag.Value; the zero value is auto.
type ColorMode string

// The colour modes.
const (
	ColorAuto   ColorMode = "auto"
	ColorAlways ColorMode = "always"
	ColorNever  ColorMode = "never"
)

// Set reads the flag.
func (m *ColorMode) Set(value string) error {
	switch mode := ColorMode(value); mode {
	case ColorAuto, ColorAlways, ColorNever:
		*m = mode
		return nil
	}
	return fmt.Errorf("must be auto, always or never, not %q", value)
}

// String is the mode's name.
func (m *ColorMode) String() string {
	if *m == "" {
		return string(ColorAuto)
	}
	return string(*m)
}

// Type is how help calls the value.
func (m *ColorMode) Type() string { return "string" }

// Style decides how Out is written: a flag outweighs the environment, the
// environment outweighs what the stream is.
func (s Streams) Style(mode ColorMode) Style {
	return Style{Color: s.color(mode), Unicode: s.unicode(), Width: s.width()}
}

// color follows https://no-color.org and https://bixense.com/clicolors: a
// variable counts only where it is not empty, and NO_COLOR outweighs
// CLICOLOR_FORCE.
func (s Streams) color(mode ColorMode) bool {
	switch {
	case mode == ColorAlways:
		return true
	case mode == ColorNever, s.Env("NO_COLOR") != "", s.Env("TERM") == "dumb":
		return false
	}
	if force := s.Env("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return IsTerminal(s.Out) && interpretsEscapes(s.Out)
}

// unicode follows the order of setlocale(3). Windows consoles take UTF-16
// from Go and have no locale variables.
func (s Streams) unicode() bool {
	if runtime.GOOS == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := s.Env(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
