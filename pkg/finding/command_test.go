package finding

import "testing"

func TestWhatOnlyReadsIsNoFix(t *testing.T) {
	for command, want := range map[string]string{
		"kubectl -n shop logs web-1 -c web --previous":                       "look",
		"kubectl describe node lab-n1":                                       "look",
		"kubectl -n shop rollout history deployment/web":                     "look",
		"kubectl -n shop rollout undo deployment/web":                        "fix",
		"kubectl -n logs set image deployment/web web=nginx":                 "fix",
		"kubectl -n shop get pod web -o json | kubectl replace --force -f -": "fix",
		"kubectl -n describe":                                                "fix",
		"kubectl":                                                            "fix",
		"":                                                                   "fix",
		"helm -n shop rollback web":                                          "fix",
	} {
		if got := (Fix{Command: command}).Word(); got != want {
			t.Errorf("%q is called %s", command, got)
		}
	}
}
