package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

func text(s string) Frame {
	return func(w io.Writer, _ term.Style) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func widthOf(w io.Writer, style term.Style) error {
	_, err := fmt.Fprintf(w, "%d wide\n", style.Width)
	return err
}

func feed(frames ...Frame) <-chan Frame {
	c := make(chan Frame, len(frames))
	for _, f := range frames {
		c <- f
	}
	close(c)
	return c
}

func TestAPipeGetsFramesThatDiffer(t *testing.T) {
	var b bytes.Buffer
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	err := Show(t.Context(), term.Streams{Out: &b}, term.ColorAuto, now, feed(text("a\n"), text("a\n"), text("b\n")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("--- 2026-01-02T03:04:05Z\na\n--- 2026-01-02T03:04:05Z\nb\n", b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheEndOfTheContextEndsAPipe(t *testing.T) {
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	if err := Show(ctx, term.Streams{Out: io.Discard}, term.ColorAuto, time.Now, nil); !errors.Is(err, interrupted) {
		t.Errorf("got %v, want the cause", err)
	}
}

func screenOf(out io.Writer, width, height *int) *screen {
	return &screen{out: out, style: term.Style{Unicode: true}, size: func() (int, int) { return *width, *height }}
}

func TestAScreenIsDrawnOverAndLeftAsItWas(t *testing.T) {
	var b bytes.Buffer
	width, height := 80, 3
	if err := screenOf(&b, &width, &height).run(t.Context(), feed(text("1\n2\n"), text("1\n2\n3\n"), text("1\n2\n3\n4\n"))); err != nil {
		t.Fatal(err)
	}
	want := enter +
		beginUpdate + "\x1b[K1\r\n\x1b[K2\r\n\x1b[J" + endUpdate +
		beginUpdate + "\x1b[K1\r\n\x1b[K2\r\n\x1b[K3" + endUpdate +
		beginUpdate + "\x1b[K1\r\n\x1b[K2\r\n\x1b[K… 2 more rows: enlarge the window, or leave out -w" + endUpdate +
		leave + "1\n2\n3\n4\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestARowBeyondTheEdgeIsMarked(t *testing.T) {
	style := term.Style{Unicode: true, Width: 8}
	for row, want := range map[string]string{
		"12345678":                              "12345678",
		"123456789":                             "1234567…",
		"\x1b[1m1234\x1b[0m5678":                "\x1b[1m1234\x1b[0m5678",
		"\x1b[1m1234\x1b[0m567\x1b[2m89\x1b[0m": "\x1b[1m1234\x1b[0m567\x1b[2m…\x1b[0m",
		"\x1b[1m123456789\x1b[0m":               "\x1b[1m1234567…\x1b[0m",
	} {
		if got := string(clip([]byte(row), style)); got != want {
			t.Errorf("%q is clipped to %q, want %q", row, got, want)
		}
	}
}

func TestAScreenIsDrawnAgainWhenItsSizeChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		var width atomic.Int64
		width.Store(80)
		window := &screen{out: &b, style: term.Style{Unicode: true}, size: func() (int, int) { return int(width.Load()), 24 }}
		frames := make(chan Frame, 1)
		frames <- widthOf
		ended := make(chan error)
		go func() { ended <- window.run(t.Context(), frames) }()
		synctest.Wait()
		width.Store(40)
		time.Sleep(3 * lookForResize)
		synctest.Wait()
		close(frames)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), beginUpdate); got != 2 {
			t.Errorf("drawn %d times, want 2", got)
		}
		if !strings.HasSuffix(b.String(), leave+"40 wide\n") {
			t.Errorf("the end is %q", b.String())
		}
	})
}

func TestAScreenIsRestoredAfterAnError(t *testing.T) {
	var b bytes.Buffer
	width, height := 80, 24
	failed := errors.New("no picture")
	err := screenOf(&b, &width, &height).run(t.Context(), feed(func(io.Writer, term.Style) error { return failed }))
	if !errors.Is(err, failed) || !strings.Contains(b.String(), leave) {
		t.Errorf("error %v, output %q", err, b.String())
	}
}

func TestTheSmallestWindow(t *testing.T) {
	style := term.Style{Width: 1}
	for height := range 3 {
		if got := len(visible([][]byte{{'a'}, {'b'}, {'c'}}, height, style)); got > max(1, height) {
			t.Errorf("%d rows on a screen of %d", got, height)
		}
	}
}
