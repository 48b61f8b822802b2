// Package process starts long-lived programs and ends exactly those again,
// however much time, and however many other processes, came between.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Identity names one process for as long as the machine has this boot. A pid
// alone does not: the kernel gives it away again.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot, proc_pid_stat(5) field 22
	Boot  string `json:"boot"`  // /proc/sys/kernel/random/boot_id
}

// Of reads the identity of a running process.
func Of(pid int) (Identity, error) {
	st, err := readStat(pid)
	if err != nil {
		return Identity{}, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, fmt.Errorf("read the boot id: %w", err)
	}
	return Identity{PID: pid, Start: st.start, Boot: strings.TrimSpace(string(boot))}, nil
}

// Alive reports whether that very process still runs. A zombie does not, unless
// other threads of it are still there: they hold its memory and its ports until
// they have ended too.
func (id Identity) Alive() bool {
	if id.PID <= 0 {
		return false
	}
	now, err := Of(id.PID)
	if err != nil || now != id {
		return false
	}
	st, err := readStat(id.PID)
	return err == nil && !st.ended()
}

// Signal sends sig to that very process and does nothing when it is gone. The
// handle is taken before the identity is checked, so that a pid given away in
// between cannot be hit.
func (id Identity) Signal(sig os.Signal) error {
	if id.PID <= 0 {
		return nil
	}
	handle, err := os.FindProcess(id.PID)
	if err != nil {
		return nil
	}
	defer handle.Release() //nolint:errcheck // nothing is left to do about it
	if !id.Alive() {
		return nil
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal process %d: %w", id.PID, err)
	}
	return nil
}

// Stop asks the process to end, waits for at most grace, then kills it, and
// returns when it is gone.
func (id Identity) Stop(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		if err := id.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		if id.wait(ctx, grace) {
			return nil
		}
	}
	if err := id.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !id.wait(ctx, time.Minute) { // to free many gigabytes takes seconds
		return fmt.Errorf("process %d did not end after SIGKILL", id.PID)
	}
	return nil
}

// wait polls, since only a parent can be told of a process's end.
func (id Identity) wait(ctx context.Context, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for id.Alive() {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

type stat struct {
	state   byte
	parent  int
	threads int
	start   uint64
}

// ended says that no thread is left.
func (s stat) ended() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return parseStat(string(data))
}

// parseStat reads proc_pid_stat(5). The command, field 2, is in parentheses and
// may itself hold parentheses and spaces, so fields are counted after the last.
func parseStat(text string) (stat, error) {
	_, rest, _ := cutLast(text, ")")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("process stat %q: too few fields", text)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return stat{}, fmt.Errorf("process stat %q: parent: %w", text, err)
	}
	threads, err := strconv.Atoi(fields[17])
	if err != nil {
		return stat{}, fmt.Errorf("process stat %q: threads: %w", text, err)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("process stat %q: start time: %w", text, err)
	}
	return stat{state: fields[0][0], parent: parent, threads: threads, start: start}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
