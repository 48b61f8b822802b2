package screen

import (
	"bytes"
	"io"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// environment is what bubbletea is to know of ours: the terminal's name, and
// whether there is colour, which is decided already. With the rest of it,
// it would start "tmux info" to learn of colours that are not used here.
func environment(s term.Streams, style term.Style) []string {
	env := []string{"TERM=" + s.Env("TERM")}
	if style.Color {
		return append(env, "CLICOLOR_FORCE=1")
	}
	return append(env, "NO_COLOR=1")
}

// unasked are what bubbletea sends and nobody here needs: questions, whose
// answers would end up in the shell if the program ended before they came, and
// keyboard modes that some terminals take for something else.
func unasked() [][]byte {
	return [][]byte{
		[]byte("\x1b[?2026$p"), []byte("\x1b[?2027$p"), // which modes are known
		[]byte("\x1b[?u"), []byte("\x1b[>1u"), []byte("\x1b[<1u"), []byte("\x1b[<u"), // Kitty's keyboard
		[]byte("\x1b[>4;2m"), []byte("\x1b[>4m"), // xterm's modifyOtherKeys
	}
}

// Terminals that know synchronized updates show no half of a frame; the others
// ignore them.
const beginUpdate, endUpdate = "\x1b[?2026h", "\x1b[?2026l"

type file interface {
	io.ReadWriteCloser
	Fd() uintptr
}

// tame leaves out what is unasked. A terminal stays one. That it cannot be
// written to any more, since it was closed, is told to failed: bubbletea goes on.
func tame(out io.Writer, failed func(error)) io.Writer {
	w := tamed{out, failed}
	if f, ok := out.(file); ok {
		return tamedFile{f, w}
	}
	return w
}

type tamed struct {
	out    io.Writer
	failed func(error)
}

func (t tamed) Write(p []byte) (int, error) {
	q := p
	for _, sequence := range unasked() {
		q = bytes.ReplaceAll(q, sequence, nil)
	}
	if len(q) > 0 {
		if _, err := io.WriteString(t.out, beginUpdate+string(q)+endUpdate); err != nil {
			t.failed(err)
			return 0, err
		}
	}
	return len(p), nil
}

type tamedFile struct {
	file
	tamed tamed
}

func (t tamedFile) Write(p []byte) (int, error) { return t.tamed.Write(p) }
