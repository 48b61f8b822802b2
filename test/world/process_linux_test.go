package world

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

// program is a plugin as a process, with a home of its own.
func program(t *testing.T, c command, url, home string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // what hangs fails the test, with its output
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, c.program(), append([]string{"--kubeconfig", kubeconfig(t, home, url), "--cache-dir", filepath.Join(home, "cache")}, args...)...)
	cmd.Env = []string{"HOME=" + home, "LANG=C.UTF-8", "TERM=xterm-256color", "NO_COLOR=1"}
	return cmd
}

// slowly is a cluster whose answers take long enough for something to happen
// in between.
func slowly(c *Cluster) http.Handler { return delayed(15 * time.Millisecond)(c) }

// signals are those that ask a program to end.
var signals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

func TestASignalAtAnyMomentLeavesNoHalfOfAFile(t *testing.T) {
	url := up(t, slowly(shop(t)))
	seed := rand.Uint64()
	t.Logf("the moments are those of seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	type moment struct {
		command
		sent  syscall.Signal
		after time.Duration
	}
	var moments []moment
	for _, c := range commands {
		for i := range 9 {
			moments = append(moments, moment{c, signals[i%len(signals)], time.Duration(random.Int64N(int64(250 * time.Millisecond)))})
		}
	}
	each(len(moments), func(n int) {
		m := moments[n]
		home := t.TempDir()
		kept := filepath.Join(home, "kept")
		if err := os.Mkdir(kept, 0o700); err != nil {
			t.Error(err)
			return
		}
		args := append(slices.Clone(m.well), "--save-snapshot", filepath.Join(kept, "saved.yaml.gz"))
		if m.name == "guard-rollout" {
			args = append(m.watching(), "--record", filepath.Join(kept, "recorded.ndjson.gz"))
		}
		var out, said bytes.Buffer
		cmd := program(t, m.command, url, home, args...)
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(m.after)
		_ = cmd.Process.Signal(m.sent) // it may have ended before
		_ = cmd.Wait()
		what := fmt.Sprintf("%s, %s after %s", m.name, m.sent, m.after)
		if !endedBy(cmd, m.sent) || said.Len() > 0 {
			t.Errorf("%s: %s: %s", what, cmd.ProcessState, said.String())
		}
		if err := wholeFiles(kept); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
}

// endedBy says whether a process ended as a signal asks for: with 130, with its
// answer, or, where it had not begun to run, by the signal.
func endedBy(cmd *exec.Cmd, s syscall.Signal) bool {
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.Signaled() && status.Signal() == s && cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime() < 200*time.Millisecond ||
		status.Exited() && (status.ExitStatus() == 130 || status.ExitStatus() == 0)
}

// wholeFiles reads what was saved and recorded: all that is there must be
// whole, and nothing else may be left.
func wholeFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "saved"):
			if _, gaps, err := snapshot.Read([]string{path}, nil, snapshot.Options{}); err != nil || len(gaps) > 0 {
				return fmt.Errorf("the snapshot cannot be read: %w %v", err, gaps)
			}
		case strings.HasPrefix(e.Name(), "recorded"):
			if err := unpacks(path); err != nil {
				return fmt.Errorf("the recording was cut off: %w", err)
			}
		default:
			return fmt.Errorf("%s is left", e.Name())
		}
	}
	return nil
}

func unpacks(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if errors.Is(err, io.EOF) { // it had not begun to be written
		return nil
	}
	if err == nil {
		_, err = io.Copy(io.Discard, text)
	}
	return err
}

// run waits for a process and tells its exit code.
func run(cmd *exec.Cmd) (code int, said string) {
	var fail bytes.Buffer
	cmd.Stderr = &fail
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), fail.String()
}

func TestAReaderThatGoesAwayEndsItWithoutNoise(t *testing.T) {
	url := up(t, shop(t))
	formats := [][]string{nil, {"-o", "json"}, {"-o", "yaml"}, {"-o", "html"}, nil}
	each(len(formats)*len(commands), func(n int) {
		c, how := commands[n/len(formats)], n%len(formats)
		home := t.TempDir()
		file := filepath.Join(home, "saved.yaml")
		args := append(slices.Clone(c.well), append(formats[how], "--save-snapshot", file)...)
		if how == len(formats)-1 {
			args, file = c.watching(), ""
		}
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Error(err)
			return
		}
		reader.Close()
		cmd := program(t, c, url, home, args...)
		cmd.Stdout = writer
		code, said := run(cmd)
		writer.Close()
		if code != 141 || said != "" {
			t.Errorf("%s %v: %s: %s", c.name, args, cmd.ProcessState, said)
		}
		if _, err := os.Stat(file); file != "" && errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s %v: the snapshot that was asked for is not kept", c.name, args)
		}
	})
}

func TestAReaderThatGoesAwayLeavesAWholeRecording(t *testing.T) {
	home := t.TempDir()
	kept := filepath.Join(home, "recorded.ndjson.gz")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	guard := commands[2]
	cmd := program(t, guard, up(t, shop(t)), home, append(guard.watching(), "--record", kept)...)
	cmd.Stdout = writer
	code, said := run(cmd)
	writer.Close()
	if code != 141 || said != "" {
		t.Errorf("%s: %s", cmd.ProcessState, said)
	}
	if err := unpacks(kept); err != nil {
		t.Error(err)
	}
}

func TestAFullDiskBehindStdoutIsSaid(t *testing.T) {
	url := up(t, shop(t))
	formats := []string{"", "json", "yaml", "html"}
	each(len(formats)*len(commands), func(n int) {
		c, args := commands[n/len(formats)], slices.Clone(commands[n/len(formats)].well)
		if format := formats[n%len(formats)]; format != "" {
			args = append(args, "-o", format)
		}
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer full.Close()
		cmd := program(t, c, url, t.TempDir(), args...)
		cmd.Stdout = full
		if code, said := run(cmd); code != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "no space left on device") {
			t.Errorf("%s %v: %s: %q", c.name, args, cmd.ProcessState, said)
		}
	})
}

func TestAHomeThatCannotBeWrittenToChangesNothing(t *testing.T) {
	url := up(t, shop(t))
	each(len(commands), func(n int) {
		c := commands[n]
		cmd := program(t, c, url, t.TempDir(), append(slices.Clone(c.well), "--cache-dir", "/dev/null/cache")...)
		cmd.Env = append(cmd.Env, "HOME=/proc", "XDG_CONFIG_HOME=/dev/null", "XDG_CACHE_HOME=/proc")
		if code, said := run(cmd); code != 0 || said != "" {
			t.Errorf("%s: %s: %s", c.name, cmd.ProcessState, said)
		}
	})
}

// Who starts a program under nohup wants it to outlive the terminal.
func TestAHangupThatIsIgnoredStaysIgnored(t *testing.T) {
	url := up(t, shop(t))
	each(len(commands), func(n int) {
		c := commands[n]
		plain := program(t, c, url, t.TempDir(), c.watching()...)
		shell, err := exec.LookPath("sh")
		if err != nil {
			t.Error(err)
			return
		}
		cmd := exec.Command(shell, append([]string{"-c", `trap "" HUP; exec "$@"`, "sh", plain.Path}, plain.Args[1:]...)...)
		cmd.Env = plain.Env
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // else it runs
			t.Errorf("%s: %v", c.name, err)
		}
		if ignored, err := ignores(cmd.Process.Pid, syscall.SIGHUP); err != nil || !ignored {
			t.Errorf("%s: SIGHUP would end it: %v", c.name, err)
		}
		go io.Copy(io.Discard, out)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("%s: %v", c.name, err)
		}
	})
}

// ignores asks the kernel (proc_pid_status(5), SigIgn).
func ignores(pid int, s syscall.Signal) (bool, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, err
	}
	_, after, _ := strings.Cut(string(text), "SigIgn:")
	mask, err := strconv.ParseUint(strings.Fields(after)[0], 16, 64)
	return mask&(1<<(s-1)) != 0, err
}
