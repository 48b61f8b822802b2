package world

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a real one: a pseudo-terminal, and the glass that a person sees.
type terminal struct {
	keys  *os.File // the end of the person
	lines *os.File // the end of the programs; kept open to look at its settings
	was   unix.Termios

	mu    sync.Mutex
	glass *glass
	seen  int // bytes that came
}

func openTerminal(t *testing.T, columns, rows int) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number int
	err = control(keys, func(fd int) (err error) {
		if number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN); err != nil {
			return err
		}
		return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	was, err := unix.IoctlGetTermios(int(lines.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	tm := &terminal{keys: keys, lines: lines, was: *was, glass: newGlass(columns, rows)}
	tm.resize(t, columns, rows)
	t.Cleanup(func() { keys.Close(); lines.Close() })
	return tm
}

// resize does what a window manager does; the kernel sends SIGWINCH.
func (tm *terminal) resize(t *testing.T, columns, rows int) {
	t.Helper()
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.glass.resize(columns, rows)
	err := control(tm.keys, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(rows)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// control asks for something of a file without os.File.Fd, which would make
// reads of it block, and Close wait for them.
func control(f *os.File, ask func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = ask(int(fd)) })
	return errors.Join(err, failed)
}

// start runs a program at the terminal, as a shell does.
func (tm *terminal) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tm.lines, tm.lines, tm.lines
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for part := make([]byte, 64<<10); ; {
			n, err := tm.keys.Read(part)
			tm.mu.Lock()
			tm.seen += n
			tm.glass.write(string(part[:n]))
			tm.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

// picture is what stands on the glass; numbers, which move on, are dots.
func (tm *terminal) picture() string {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return tm.glass.picture()
}

// shows waits for a picture that is as it must be.
func (tm *terminal) shows(t *testing.T, what string, right func(picture string) bool) string {
	t.Helper()
	var last string
	for range 1000 {
		if last = tm.picture(); right(last) {
			return last
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: the terminal shows\n%s", what, last)
	return ""
}

// given says what is wrong with a terminal that was given back.
func (tm *terminal) given() string {
	now, err := unix.IoctlGetTermios(int(tm.lines.Fd()), unix.TCGETS)
	tm.mu.Lock()
	defer tm.mu.Unlock()
	switch g := tm.glass; {
	case err != nil:
		return err.Error()
	case *now != tm.was:
		return "its settings are not what they were"
	case g.other:
		return "the other screen still stands"
	case g.hidden:
		return "the cursor is hidden"
	case len(g.modes) > 0:
		return "modes are left on: " + strings.Join(g.left(), " ")
	case len(g.strange) > 0:
		return "what is that: " + strings.Join(g.strange, " ")
	}
	return ""
}

// settled lets the reader take all that a program that ended has written.
func (tm *terminal) settled() {
	for before := -1; ; {
		tm.mu.Lock()
		seen := tm.seen
		tm.mu.Unlock()
		if seen == before {
			return
		}
		before = seen
		time.Sleep(50 * time.Millisecond)
	}
}

// stands says whether a picture is whole; guard-rollout's is once what stands
// against a rollout was found, too.
func (c command) stands(picture string) bool {
	return strings.Contains(picture, "web") &&
		(c.name != "guard-rollout" || strings.Contains(picture, "cut off") || strings.Contains(picture, "more rows"))
}

func TestATerminalOfAnySizeShowsTheSamePictureAgain(t *testing.T) {
	url := up(t, shop(t))
	each(len(commands), func(n int) {
		c := commands[n]
		t.Run(c.name, func(t *testing.T) {
			narrow := openTerminal(t, 20, 12)
			small := program(t, c, url, t.TempDir(), c.watching()...)
			narrow.start(t, small)
			tm := openTerminal(t, 110, 40)
			cmd := program(t, c, url, t.TempDir(), c.watching()...)
			tm.start(t, cmd)
			want := narrow.shows(t, "20 columns from the start", c.stands)
			wide := tm.shows(t, "110 columns", c.stands)
			for range 2 {
				tm.resize(t, 20, 12)
				tm.shows(t, "20 columns after 110, which must be\n"+want, func(p string) bool { return p == narrow.picture() })
				tm.resize(t, 110, 40)
				tm.shows(t, "110 columns again, which must be\n"+wide, func(p string) bool { return p == wide })
			}
			for _, end := range []*exec.Cmd{small, cmd} {
				_ = end.Process.Signal(syscall.SIGINT)
				_ = end.Wait()
				if code := end.ProcessState.ExitCode(); code != 130 {
					t.Errorf("exit %d", code)
				}
			}
		})
	})
}

func TestASignalAtAnyMomentGivesTheTerminalBack(t *testing.T) {
	url := up(t, slowly(shop(t)))
	seed := rand.Uint64()
	t.Logf("the moments are those of seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	after := make([]time.Duration, 6*len(commands))
	for i := range after {
		after[i] = time.Duration(random.Int64N(int64(600 * time.Millisecond)))
	}
	each(len(after), func(n int) {
		c, sent := commands[n%len(commands)], signals[n/len(commands)%len(signals)]
		tm := openTerminal(t, 100, 30)
		cmd := program(t, c, url, t.TempDir(), c.watching()...)
		tm.start(t, cmd)
		time.Sleep(after[n])
		_ = cmd.Process.Signal(sent)
		_ = cmd.Wait()
		tm.settled()
		if wrong := tm.given(); wrong != "" || !endedBy(cmd, sent) {
			t.Errorf("%s, %s after %s: %s; %s\n%s", c.name, sent, after[n], cmd.ProcessState, wrong, tm.picture())
		}
	})
}

func TestATerminalThatClosesEndsIt(t *testing.T) {
	url := up(t, shop(t))
	each(2*len(commands), func(n int) {
		c, deaf := commands[n%len(commands)], n >= len(commands)
		tm := openTerminal(t, 80, 24) // as large as one that does not tell is taken for
		cmd := program(t, c, url, t.TempDir(), c.watching()...)
		if deaf {
			shell, err := exec.LookPath("sh")
			if err != nil {
				t.Error(err)
				return
			}
			cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
			cmd.Path = shell
		}
		tm.start(t, cmd)
		tm.shows(t, c.name, c.stands)
		tm.lines.Close()
		tm.keys.Close()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 && !(deaf && code == 1) {
			t.Errorf("%s, deaf to SIGHUP %v: %s", c.name, deaf, cmd.ProcessState)
		}
	})
}
