// Command run provokes the corpus on a real cluster: each case in a namespace
// of its own. It asks until the answer is as it must be, runs each printed fix,
// and tells scores. It can record what was read and write the page of scores.
//
//	go run ./test/faults/run [-only REGEXP] [-record] [-doc docs/accuracy.md]
//
// The cluster is that of KUBECONFIG.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/leadsman-dev/leadsman/test/faults"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	l := lab{}
	only := flag.String("only", "", "run only the cases whose plugin/name matches this regular expression")
	page := flag.String("doc", "", "write the scores to this page")
	again := flag.Bool("again", false, "run what failed once more, one after the other: a busy machine may have been the reason")
	parallel := flag.Int("parallel", 8, "how many cases at a time")
	flag.StringVar(&l.bin, "bin", "bin", "the folder of the plugins")
	flag.StringVar(&l.corpus, "corpus", "test/faults", "the folder of the cases")
	flag.StringVar(&l.kubectl, "kubectl", cmp.Or(os.Getenv("KUBECTL"), "kubectl"), "the kubectl to use")
	flag.BoolVar(&l.record, "record", false, "keep what was read beside each case")
	flag.BoolVar(&l.show, "show", false, "print what people see of each case")
	flag.BoolVar(&l.everyFix, "every-fix", false, "run every printed fix, each in a scene of its own, not only the first")
	flag.Parse()
	remove, err := l.open()
	if err != nil {
		return err
	}
	defer remove()
	all, err := faults.Read(os.DirFS(l.corpus))
	if err != nil {
		return err
	}
	chosen, err := choose(all, *only)
	if err != nil {
		return err
	}
	results := l.runAll(ctx, chosen, *parallel)
	if *again {
		l.runAgain(ctx, results)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Print("\n", scores(results))
	if *page != "" {
		if err := writePage(*page, results, l.everyFix); err != nil {
			return err
		}
	}
	failed := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.err() == nil })
	fmt.Printf("\n%d passed, %d failed\n", len(results)-len(failed), len(failed))
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d cases are not as they must be", len(failed), len(results))
	}
	return nil
}

func choose(all []faults.Case, only string) ([]faults.Case, error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(all, func(c faults.Case) bool { return !wanted.MatchString(c.Folder()) })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no case matches %q", only)
	}
	return chosen, nil
}

// lab is the cluster, the programs under test, and what is to be done.
type lab struct {
	client kubernetes.Interface
	config api.Config

	bin, corpus, kubectl, dir string
	record, show, everyFix    bool
}

// open makes a folder in which kubectl and the plugins are found by the names
// that a user types.
func (l *lab) open() (remove func(), err error) {
	kubectl, err := exec.LookPath(l.kubectl)
	if err != nil {
		return nil, fmt.Errorf("%w; name it with -kubectl or KUBECTL", err)
	}
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	l.dir, l.kubectl = dir, filepath.Join(dir, "kubectl")
	links := map[string]string{"kubectl": kubectl}
	for _, plugin := range faults.Plugins() {
		links[program(plugin)] = filepath.Join(l.bin, program(plugin))
	}
	for name, target := range links {
		target, err := filepath.Abs(target)
		if err == nil {
			_, err = os.Stat(target)
		}
		if err == nil {
			err = os.Symlink(target, filepath.Join(dir, name))
		}
		if err != nil {
			remove()
			return nil, err
		}
	}
	if l.client, l.config, err = connect(); err == nil {
		_, err = l.client.Discovery().ServerVersion()
	}
	if err != nil {
		remove()
		return nil, fmt.Errorf("no cluster answers: %w", err)
	}
	return remove, nil
}

func program(plugin string) string {
	return "kubectl-" + strings.ReplaceAll(plugin, "-", "_")
}

// runAll runs the slowest first, so that none is waited for alone at the end.
func (l *lab) runAll(ctx context.Context, cases []faults.Case, parallel int) []result {
	results := make([]result, len(cases))
	order := make([]int, len(cases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(cases[b]), weight(cases[a])) })
	gate := make(chan struct{}, parallel)
	var group sync.WaitGroup
	var told sync.Mutex
	for _, i := range order {
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			results[i] = l.check(ctx, cases[i])
			told.Lock()
			defer told.Unlock()
			results[i].tell(l.show)
		})
	}
	group.Wait()
	return results
}

// runAgain tries what failed a second time, alone. It says so: what needs that
// often is no accident.
func (l *lab) runAgain(ctx context.Context, results []result) {
	for i, r := range results {
		if r.err() == nil || ctx.Err() != nil {
			continue
		}
		fmt.Printf("\nonce more, alone: %s\n", r.Folder())
		results[i] = l.check(ctx, r.Case)
		results[i].again = true
		results[i].tell(l.show)
	}
}

func weight(c faults.Case) int {
	if c.Watches() {
		return 1
	}
	return 0
}

// result is what became of a case.
type result struct {
	faults.Case
	answer  faults.Answer
	lag     lag
	verdict time.Duration // from the last step of the scene to the first right answer
	ran     int           // printed commands that were run
	mended  int           // those after which the finding was gone
	seen    string        // what people see
	again   bool          // it failed at first
	errs    []error
}

func (r result) err() error { return errors.Join(r.errs...) }

func (r result) tell(show bool) {
	if err := r.err(); err != nil {
		fmt.Printf("FAIL %s\n     %s\n", r.Folder(), strings.ReplaceAll(err.Error(), "\n", "\n     "))
	} else {
		fmt.Printf("ok   %-60s %5.1f s  %d of %d commands mend it%s\n", r.Folder(), r.verdict.Seconds(), r.mended, r.ran, r.lag)
	}
	if show {
		fmt.Println(r.seen)
	}
}
