package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/leadsman-dev/leadsman/test/faults"
)

// scene is a case in its namespace.
type scene struct {
	*lab
	faults.Case
	namespace string
	dir       string // the case's files, with $NS filled in, and a kubeconfig bound to the namespace
}

// stage makes the scene of a case. Its end takes it away again, whatever
// became of the context.
func (l *lab) stage(ctx context.Context, c faults.Case, suffix string) (*scene, func(), error) {
	dir, err := os.MkdirTemp(l.dir, "scene-")
	if err != nil {
		return nil, nil, err
	}
	s := &scene{lab: l, Case: c, namespace: c.Namespace() + suffix, dir: dir}
	end := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		for _, line := range c.Undo {
			_, _ = s.shell(ctx, line)
		}
		_ = l.deleteNamespace(ctx, s.namespace)
	}
	if err := s.prepare(ctx); err != nil {
		end()
		return nil, nil, err
	}
	for _, line := range s.steps() {
		if out, err := s.shell(ctx, line); err != nil {
			end()
			return nil, nil, fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	return s, end, nil
}

func (s *scene) steps() []string {
	if len(s.Do) == 0 {
		return []string{"kubectl apply -f manifests.yaml"}
	}
	return s.Do
}

// prepare fills the folder and makes the namespace, once what an earlier run
// left of it is gone.
func (s *scene) prepare(ctx context.Context) error {
	from := filepath.Join(s.corpus, filepath.FromSlash(s.Folder()))
	files, err := filepath.Glob(filepath.Join(from, "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.dir, filepath.Base(file)), s.fill(text), 0o600); err != nil {
			return err
		}
	}
	if err := s.lab.bind(s.namespace, s.kubeconfig()); err != nil {
		return err
	}
	return s.lab.makeNamespace(ctx, s.namespace)
}

func (s *scene) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

func (s *scene) fill(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("$NS"), []byte(s.namespace))
}

// shell runs a line as a user in that namespace would type it.
func (s *scene) shell(ctx context.Context, line string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "bash", "-ec", line)
	cmd.Dir, cmd.WaitDelay = s.dir, 5*time.Second
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig(), "NS="+s.namespace, "PATH="+s.lab.dir+":"+os.Getenv("PATH"), "EDITOR=false") // nobody is there to edit
	return cmd.CombinedOutput()
}

// plugin is a run of the plugin that has not started.
func (s *scene) plugin(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.lab.dir, program(s.Plugin)), args...)
	cmd.Dir, cmd.WaitDelay = s.dir, 5*time.Second
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig(), "NO_COLOR=1", "LC_ALL=C.UTF-8", "COLUMNS=120")
	return cmd
}

// ask runs the plugin, which keeps what it read in the named file.
func (s *scene) ask(ctx context.Context, question, recording string) (faults.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := s.plugin(ctx, append(s.Args(question, s.namespace), "--save-snapshot", filepath.Join(s.dir, recording))...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code, err := exit(cmd.Run())
	if err != nil {
		return faults.Answer{}, err
	}
	a, err := faults.ReadAnswer(out.Bytes(), code)
	if err != nil {
		err = fmt.Errorf("exit code %d: %w\n%s", code, err, errs.String())
	}
	return a, err
}

// exit is the exit code of a program that could be run.
func exit(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// until asks again until the judge is content or the patience ends.
func (s *scene) until(ctx context.Context, patience time.Duration, question, recording string, judge func(faults.Answer) error) (faults.Answer, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(700 * time.Millisecond) {
		a, err := s.ask(ctx, question, recording)
		if err == nil {
			err = judge(a)
		}
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return a, err
		}
	}
}

// phase reads the phase of a line of a watch's stream.
func phase(line []byte) string {
	var event struct {
		Phase string `json:"phase"`
	}
	_ = json.Unmarshal(line, &event) // what is no event has no phase
	return event.Phase
}
