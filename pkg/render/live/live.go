// Package live shows a picture that changes: drawn over in place on a screen,
// one frame after the other in a pipe.
package live

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

// Frame draws the picture at one moment. It is called again when the window
// changes its size.
type Frame func(w io.Writer, style term.Style) error

// lookForResize is how often the size of the window is asked for. A signal
// tells it on Unix only, and one ioctl costs nothing.
const lookForResize = 250 * time.Millisecond

// Show draws each frame that arrives until frames closes (nil) or ctx ends (its
// cause). The caller ends ctx on signals. A screen is left as it was found, with
// the last frame written to it in full. A pipe gets only frames that differ
// from the one before, each after a line with the time.
func Show(ctx context.Context, s term.Streams, color term.ColorMode, now func() time.Time, frames <-chan Frame) (err error) {
	style := s.Style(color)
	if !s.InPlace() {
		return follow(ctx, s.Out, style, now, frames)
	}
	size := func() (int, int) {
		width, height, ok := term.Size(s.Out)
		if !ok {
			return 80, 24
		}
		return width, height
	}
	screen := &screen{out: s.Out, style: style, size: size}
	return screen.run(ctx, frames)
}

func follow(ctx context.Context, out io.Writer, style term.Style, now func() time.Time, frames <-chan Frame) error {
	var last []byte
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case frame, ok := <-frames:
			if !ok {
				return nil
			}
			var b bytes.Buffer
			if err := frame(&b, style); err != nil {
				return err
			}
			if last != nil && bytes.Equal(b.Bytes(), last) {
				continue
			}
			last = b.Bytes()
			if _, err := fmt.Fprintf(out, "--- %s\n%s", now().Format(time.RFC3339), last); err != nil {
				return err
			}
		}
	}
}
