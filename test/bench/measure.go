package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// command is one row of the table: a whole process.
type command struct {
	title   string
	argv    []string
	beside  []string // runs meanwhile
	once    bool     // it takes long: one run counts
	counted bool     // its -o json tells requests and bytes
}

// figure is what one command took: medians of the counted runs.
type figure struct {
	wall     time.Duration
	busy     time.Duration // of processors, user and system
	peak     int64         // bytes of resident memory
	requests string
	read     string // bytes of the answers to them
}

func (o options) measure(ctx context.Context, out io.Writer) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	limit := filepath.Join(folder, "limit")
	if err := do(ctx, "go", "build", "-o", limit, "./test/bench/limit"); err != nil {
		return err
	}
	phases, b, err := o.chosen(limit)
	if err != nil {
		return err
	}
	for _, p := range phases {
		if err := o.phase(ctx, b, limit, p); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, b.String())
	return err
}

// chosen are the phases to measure, and the table as it is before them: empty,
// or with the rows of the others where only one is measured.
func (o options) chosen(limit string) ([]phase, *strings.Builder, error) {
	all, b := o.phases(limit), &strings.Builder{}
	if o.only == "" {
		fmt.Fprintf(b, opening+"%d runs of the whole process. Rows that name a size: a cluster of so many pods, with as many events, a tenth as many Services, Deployments, ReplicaSets and ConfigMaps, and %d custom kinds. The others: %d pods in namespace %s, %d in %s.\n\n", o.runs, 100, o.pods, large, o.pods/10, small)
		fmt.Fprintf(b, "| command | wall | processor | peak memory | requests | bytes read |\n|---|---|---|---|---|---|\n")
		return all, b, nil
	}
	i := slices.IndexFunc(all, func(p phase) bool { return p.name == o.only })
	if i < 0 {
		return nil, nil, fmt.Errorf("there is no part %q to measure", o.only)
	}
	page, err := os.ReadFile(o.doc)
	if err != nil {
		return nil, nil, fmt.Errorf("the rows of the other parts: %w", err)
	}
	_, table, ok := strings.Cut(string(page), opening) // the words above it may have been others
	if !ok {
		return nil, nil, fmt.Errorf("%s has no table: measure all parts first", o.doc)
	}
	anew := all[i]
	anew.grows = false
	for line := range strings.Lines(opening + table) {
		if !slices.ContainsFunc(anew.commands, func(c command) bool { return strings.HasPrefix(line, "| "+c.title+" |") }) {
			b.WriteString(line)
		}
	}
	return []phase{anew}, b, nil
}

// write keeps what is known so far: the last rows take long, and to take a
// large load away takes longer.
func (o options) write(table string) error {
	if o.doc == "" {
		return nil
	}
	return os.WriteFile(o.doc, []byte(preface+table), 0o644)
}

// phase makes a load, measures on it, and takes it away again.
func (o options) phase(ctx context.Context, b *strings.Builder, limit string, p phase) (err error) {
	defer func() {
		if !o.keep && (!p.grows || err != nil) {
			err = errors.Join(err, do(context.WithoutCancel(ctx), limit, o.kubeconfig, p.unload, "0"))
		}
	}()
	if !o.loaded {
		if err := do(ctx, limit, o.kubeconfig, p.load, strconv.Itoa(p.pods)); err != nil {
			return fmt.Errorf("cannot make the load: %w", err)
		}
	}
	if p.keep != "" {
		keeping, stop := context.WithCancel(ctx)
		keeper := exec.CommandContext(keeping, limit, o.kubeconfig, p.keep, "0")
		if err := keeper.Start(); err != nil {
			stop()
			return err
		}
		defer func() { stop(); _ = keeper.Wait() }()
	}
	for _, c := range p.commands {
		f, err := o.time(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		row := fmt.Sprintf("| %s | %.3f s | %.2f s | %.0f MiB | %s | %s |\n", c.title, f.wall.Seconds(), f.busy.Seconds(), float64(f.peak)/(1<<20), f.requests, f.read)
		fmt.Fprint(os.Stderr, row) // how far it is
		b.WriteString(row)
		if err := o.write(b.String()); err != nil {
			return err
		}
	}
	return nil
}

// do runs a command and says what it said when it fails.
func do(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

const (
	small = "bench-small" // one tenth of the pods
	large = "bench-large"
)

// opening begins the part of the page that is measured.
const opening = "Medians of "

const preface = `# Performance

Made by ` + "`make bench`" + ` on a real API server, with etcd, both nodes and the measured process on one machine of two cores.
The raw limit is a bare read with the same client in a process of its own, in the same run as the rows of its size.

`

func (o options) commands(limit string) []command {
	raw := func(what, namespace string) []string { return []string{limit, o.kubeconfig, what, namespace} }
	tree := func(args ...string) []string {
		return append([]string{filepath.Join(o.bin, "kubectl-explain_tree"), "--kubeconfig", o.kubeconfig}, args...)
	}
	return []command{
		{title: "raw: start of a process", argv: raw("nothing", large)},
		{title: "raw: protobuf LIST of the 500 pods of one Deployment", argv: raw("pods", large)},
		{title: "raw: metadata-only LISTs of every listable kind of the namespace", argv: raw("everything", large)},
		{title: "explain-tree --version", argv: tree("--version")},
		{title: "explain-tree deploy/app-1 (500 pods)", argv: tree("-n", large, "deploy/app-1"), counted: true},
		{title: "explain-tree deploy/app-1, a tenth of the namespace", argv: tree("-n", small, "deploy/app-1"), counted: true},
		{title: "explain-tree of a custom resource", argv: tree("-n", large, "benches.leadsman.dev/root"), counted: true},
		{title: "explain-tree namespace/" + large, argv: tree("-n", large, "namespace/"+large), counted: true},
	}
}

// time runs a command once for warmth and then as often as it counts.
func (o options) time(ctx context.Context, c command) (figure, error) {
	var walls, busy []time.Duration
	var peaks []int64
	runs := o.runs + 1
	if c.once {
		runs = 1
	}
	for i := range runs {
		cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		start := time.Now()
		if err := with(ctx, c.beside, cmd.Run); err != nil {
			return figure{}, fmt.Errorf("%w: %s", err, stderr.String())
		}
		if i == 0 && !c.once {
			continue
		}
		walls = append(walls, time.Since(start))
		busy = append(busy, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peaks = append(peaks, usage.Maxrss<<10)
		}
	}
	slices.Sort(walls)
	slices.Sort(busy)
	slices.Sort(peaks)
	f := figure{wall: walls[len(walls)/2], busy: busy[len(busy)/2], peak: peaks[len(peaks)/2], requests: "-", read: "-"}
	if c.counted {
		return f, f.count(ctx, c)
	}
	return f, nil
}

// count asks once more, for the document that says what the answer cost.
func (f *figure) count(ctx context.Context, c command) error {
	cmd := exec.CommandContext(ctx, c.argv[0], append(slices.Clone(c.argv[1:]), "-o", "json")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	cost, err := budget(json.NewDecoder(out))
	_, rest := io.Copy(io.Discard, out) // who writes it waits for that
	f.requests, f.read = strconv.FormatInt(cost.Requests, 10), fmt.Sprintf("%.1f kB", float64(cost.Bytes)/1000)
	return errors.Join(err, rest, cmd.Wait())
}

type cost struct{ Requests, Bytes int64 }

// budget reads what a document cost, and keeps nothing of the rest of it: the
// peak of a process counts from before it is another program than its parent.
func budget(d *json.Decoder) (c cost, err error) {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return c, fmt.Errorf("the document has no budget: %w", err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 1 && token == "budget" {
			return c, d.Decode(&c)
		}
	}
}

// with runs something while another command runs beside it.
func with(ctx context.Context, beside []string, run func() error) error {
	if len(beside) == 0 {
		return run()
	}
	done := make(chan error, 1)
	go func() { done <- do(ctx, beside[0], beside[1:]...) }()
	return errors.Join(run(), <-done)
}
