package e2e

import (
	"cmp"
	"context"
	"testing"
	"time"
)

func or[T comparable](values ...T) T { return cmp.Or(values...) }

func kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := lab.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// kubectlAtEnd is for clean-ups, when the test's own context has ended.
func kubectlAtEnd(t testing.TB, args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := lab.Kubectl(ctx, args...); err != nil {
		t.Log(err)
	}
}

// eventually tries until check has no error.
func eventually(t testing.TB, patience time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %v", patience, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}
