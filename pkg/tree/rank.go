package tree

// causes are the codes from the deepest cause to the mere symptom: OOM outranks
// the crash loop that it makes, a dead node the symptoms of its pods, a missing
// object the pods that wait for it. A code that is not named stands between.
var causes = []string{
	"tree/node-notready", "tree/owner-cycle", "tree/owner-cross-namespace", "tree/owner-wrong-uid", "tree/owner-missing",
	"tree/reference-missing",
	"tree/quota", "tree/limitrange", "tree/podsecurity", "tree/webhook-denied", "tree/webhook-unreachable", "tree/sa-missing", "tree/priorityclass-missing", "tree/rs-create-error",
	"tree/image-invalid", "tree/image-not-found", "tree/image-auth", "tree/image-never-pull", "tree/image-signature", "tree/image-rate-limit", "tree/image-registry-down", "tree/image-pull",
	"tree/config-object-missing", "tree/config-key-missing", "tree/mount-object-missing", "tree/mount-failed",
	"tree/oom", "tree/init-crash", "tree/liveness-kill", "tree/startup-kill", "tree/sidecar-crash", "tree/crash-app", "tree/crash-exit0", "tree/run-error", "tree/poststart-hook",
	"tree/pvc-pending", "tree/rwo-deadlock", "tree/pv-zone",
	"tree/unsched-scheduler", "tree/unsched-resources", "tree/unsched-taint", "tree/unsched-affinity", "tree/unsched-hostport", "tree/sched-gated",
	"tree/removed-api", // of the manifest, not of what runs
}

// symptoms are what follows from something else wherever something else was
// found, from the nearest to the cause to the farthest.
var symptoms = []string{
	"tree/readiness-failing", "tree/readiness-gate", "tree/init-slow", "tree/sandbox", "tree/job-failed", "tree/terminating-stuck",
	"tree/stuck-terminating", "tree/observed-lag", "tree/progress-deadline", "tree/condition",
}

var symptom, depths = func() (set map[string]bool, order map[string]int) {
	set, order = map[string]bool{}, map[string]int{}
	for i, code := range causes {
		order[code] = i
	}
	for i, code := range symptoms {
		set[code], order[code] = true, len(causes)+1+i
	}
	return set, order
}()

// depth orders codes: the deeper a cause, the smaller.
func depth(code string) int {
	if at, ok := depths[code]; ok {
		return at
	}
	return len(causes)
}
