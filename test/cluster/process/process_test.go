package process

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAStatIsReadPastACommandWithParentheses(t *testing.T) {
	st, err := parseStat("42 (a) b) (c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1 1")
	if err != nil {
		t.Fatal(err)
	}
	if st != (stat{state: 'S', parent: 7, threads: 1, start: 123456}) {
		t.Errorf("stat = %+v", st)
	}
}

func TestAZombieWhoseThreadsStillEndIsNotGone(t *testing.T) {
	for st, want := range map[stat]bool{
		{state: 'S', threads: 9}: false, {state: 'Z', threads: 9}: false, {state: 'Z', threads: 1}: true, {state: 'X'}: true,
	} {
		if st.ended() != want {
			t.Errorf("%+v: ended is %v", st, st.ended())
		}
	}
}

func TestAPidGivenAwayAgainIsNotTheProcess(t *testing.T) {
	self, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Error("this process is said to be gone")
	}
	earlier, otherBoot := self, self
	earlier.Start--
	otherBoot.Boot = "another"
	for _, id := range []Identity{earlier, otherBoot, {}} {
		if id.Alive() {
			t.Errorf("%+v is said to be this process", id)
		}
		// Were it taken for this process, the test would end here.
		if err := id.Stop(t.Context(), 0); err != nil {
			t.Errorf("stop %+v: %v", id, err)
		}
	}
}

func TestAStartedProgramLogsOutlivesItsContextAndStops(t *testing.T) {
	log := filepath.Join(t.TempDir(), "logs", "program.log")
	id, err := Start(t.Context(), Command{
		Args: []string{"sh", "-c", `echo "$GREETING"; exec sleep 100`}, Env: []string{"GREETING=hello"}, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		data, err := os.ReadFile(log)
		if err == nil && string(data) == "hello\n" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("log = %q, %v", data, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !id.Alive() {
		t.Error("the program is said to be gone")
	}
	if err := id.Stop(t.Context(), 5*time.Second); err != nil || id.Alive() {
		t.Errorf("stop: %v, alive %v", err, id.Alive())
	}
}

func TestAProgramThatIgnoresItsTermIsKilled(t *testing.T) {
	log := filepath.Join(t.TempDir(), "program.log")
	id, err := Start(t.Context(), Command{Args: []string{"sh", "-c", `trap "" TERM; echo ready; while :; do sleep 1; done`}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(log); err == nil && len(data) > 0 {
			break
		}
	}
	if err := id.Stop(t.Context(), 100*time.Millisecond); err != nil || id.Alive() {
		t.Errorf("stop: %v, alive %v", err, id.Alive())
	}
}
