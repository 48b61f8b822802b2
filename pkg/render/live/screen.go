package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Control sequences of xterm, which all terminals in use understand. The
// synchronized update (2026) keeps half a frame from being seen; terminals that
// do not know it ignore it. Without wrapping (7), commands wider than the
// window take one row.
const (
	enter = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"

	beginUpdate = "\x1b[?2026h\x1b[H"
	clearRow    = "\x1b[K" // before the text: behind a full row it would take the last cell
	nextRow     = "\r\n"
	clearBelow  = "\x1b[J"
	endUpdate   = "\x1b[?2026l"
)

type screen struct {
	out   io.Writer
	style term.Style
	size  func() (width, height int)

	last          Frame
	width, height int
}

func (s *screen) run(ctx context.Context, frames <-chan Frame) (err error) {
	if _, err := io.WriteString(s.out, enter); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.restore()) }()
	ticks := time.NewTicker(lookForResize)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticks.C:
			if width, height := s.size(); s.last == nil || width == s.width && height == s.height {
				continue
			}
		case frame, ok := <-frames:
			if !ok {
				return nil
			}
			s.last = frame
		}
		if err := s.draw(); err != nil {
			return err
		}
	}
}

// draw writes the frame over the one before it, in one write and without
// clearing the screen first: that is what would flicker.
func (s *screen) draw() error {
	s.width, s.height = s.size()
	s.style.Width = s.width
	var picture bytes.Buffer
	if err := s.last(&picture, s.style); err != nil {
		return err
	}
	rows := bytes.Split(bytes.TrimSuffix(picture.Bytes(), []byte("\n")), []byte("\n"))
	var b bytes.Buffer
	b.WriteString(beginUpdate)
	rows = visible(rows, s.height, s.style)
	for i, row := range rows {
		if i > 0 {
			b.WriteString(nextRow)
		}
		b.WriteString(clearRow)
		b.Write(clip(row, s.style))
	}
	if len(rows) < s.height {
		b.WriteString(nextRow + clearBelow)
	}
	b.WriteString(endUpdate)
	_, err := s.out.Write(b.Bytes())
	return err
}

// clip marks a row that goes on beyond the edge, such as a long command: the
// terminal would cut it without a word, and the rest may look whole. The last
// frame, which stays when the watch ends, has it in full.
func clip(row []byte, style term.Style) []byte {
	if style.Width <= 0 || len(row) <= style.Width || term.Width(string(colours.ReplaceAll(row, nil))) <= style.Width {
		return row
	}
	var b bytes.Buffer
	room := style.Width - term.Width(style.Ellipsis())
	for full := false; len(row) > 0; {
		at := colours.FindIndex(row)
		if at == nil {
			at = []int{len(row), len(row)}
		}
		switch text := string(row[:at[0]]); {
		case full:
		case term.Width(text) <= room:
			b.WriteString(text)
			room -= term.Width(text)
		default:
			b.WriteString(term.Truncate(text, room, "") + style.Ellipsis())
			full = true
		}
		b.Write(row[at[0]:at[1]])
		row = row[at[1]:]
	}
	return b.Bytes()
}

// colours are the only control sequences in a picture.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// visible are the rows that fit. The last one of the screen says how many do
// not.
func visible(rows [][]byte, height int, style term.Style) [][]byte {
	if len(rows) <= height {
		return rows
	}
	shown := max(0, height-1)
	note := fmt.Sprintf("%s %d more rows: enlarge the window, or leave out -w", style.Ellipsis(), len(rows)-shown)
	note = style.Paint(term.Dim, style.Fit(note))
	return append(rows[:shown:shown], []byte(note))
}

// restore leaves the screen as it was found, and the last frame on it.
func (s *screen) restore() error {
	var b bytes.Buffer
	b.WriteString(leave)
	var err error
	if s.last != nil {
		err = s.last(&b, s.style)
	}
	_, writeErr := s.out.Write(b.Bytes())
	return errors.Join(err, writeErr)
}
