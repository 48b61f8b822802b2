package rollout

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/test/e2e"
)

// client is a pod that asks the Service twenty times a second, with a new
// connection each time, and logs what came: a witness that knows nothing of us.
func client(url string) string {
	return e2e.Pod("client", `containers: [{name: client, image: "netapp:v1", env: [{name: FETCH, value: "`+url+`"}, {name: FETCH_EVERY, value: 50ms}]}]`)
}

// asked counts the client's answers and failures, and when it failed.
func asked(t *testing.T, namespace string) (ok int, failed []string) {
	t.Helper()
	log := kubectl(t, namespace, "logs", "client", "--tail=-1")
	for _, line := range strings.Split(log, "\n") {
		switch {
		case strings.Contains(line, "fetch: 200"):
			ok++
		case strings.Contains(line, "fetch: "):
			failed = append(failed, line)
		}
	}
	return ok, failed
}

var stamp = regexp.MustCompile(`^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)`)

// at is when a line of the client's log was written, in whole seconds.
func at(t *testing.T, line string) time.Time {
	t.Helper()
	when, err := time.Parse("2006/01/02 15:04:05", stamp.FindString(line))
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return when
}

// A roll without downtime is proven to hold while an independent client, and
// our own probe, count no failed request.
func TestAZeroDowntimeRollIsProvenToHold(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-held")
	apply(t, namespace, web("4", careful))
	rolled(t, namespace, "deployment/web")
	apply(t, namespace, client("http://web."+namespace+".svc.cluster.local/"))
	kubectl(t, namespace, "wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
	w := watch(t, "-n", namespace, "deployment/web", "-o", "ndjson", "--await", "--timeout", "2m", "--stable-for", "6s", "--probe", "svc/web:80/")
	w.until(`"phase":"awaited"`, 20*time.Second)
	kubectl(t, namespace, "set", "image", "deployment/web", "app=netapp:v2")
	r, code := w.end(2 * time.Minute)
	ok, failed := asked(t, namespace)
	t.Logf("the client: %d ok, %d failed; %s", ok, len(failed), r.Outline())
	if code != 0 || len(r.Rollouts[0].Availability) != 1 || r.Rollouts[0].Availability[0].Verdict != "held" {
		t.Errorf("exit code %d, %+v", code, r.Rollouts[0].Availability)
	}
	if len(failed) > 0 || ok < 50 {
		t.Errorf("the client had %d answers and these failures: %v", ok, failed)
	}
	if p := r.Rollouts[0].Probes; len(p) != 1 || p[0].Failed > 0 || p[0].Sent < 50 {
		t.Errorf("the probe: %+v", p)
	}
}

// A roll with downtime is proven to be broken at the moment when an independent
// client fails.
func TestARollWithDowntimeIsProvenToBreak(t *testing.T) {
	t.Parallel()
	namespace := lab.Namespace(t, "gr-broken")
	apply(t, namespace, web("2", recreate))
	rolled(t, namespace, "deployment/web")
	apply(t, namespace, client("http://web."+namespace+".svc.cluster.local/"))
	kubectl(t, namespace, "wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
	w := watch(t, "-n", namespace, "deployment/web", "-o", "ndjson", "--await", "--timeout", "2m", "--stable-for", "6s", "--probe", "svc/web:80/")
	w.until(`"phase":"awaited"`, 20*time.Second)
	kubectl(t, namespace, "set", "env", "deployment/web", "READY_AFTER=5s")
	r, code := w.end(2 * time.Minute)
	ok, failed := asked(t, namespace)
	t.Logf("the client: %d ok, %d failed; %s", ok, len(failed), r.Outline())
	if code != 6 {
		t.Errorf("exit code %d, want 6", code)
	}
	for _, code := range []string{"rollout/availability-broken", "rollout/probe-failed"} {
		if _, err := r.find(code); err != nil {
			t.Error(err)
		}
	}
	if len(failed) == 0 {
		t.Fatal("the client saw no downtime")
	}
	a := r.Rollouts[0].Availability
	if len(a) != 1 || len(a[0].BelowFloor) == 0 {
		t.Fatalf("%+v", a)
	}
	// Terminating pods go on answering while they drain: the client's failures
	// lie within the time below the floor, to the second.
	from, to := a[0].BelowFloor[0].From, a[0].BelowFloor[0].To
	first, last := at(t, failed[0]), at(t, failed[len(failed)-1])
	if first.Before(from.Add(-2*time.Second)) || !to.IsZero() && last.After(to.Add(3*time.Second)) {
		t.Errorf("the client failed from %s to %s; below the floor from %s to %s", first, last, from, to)
	}
}
