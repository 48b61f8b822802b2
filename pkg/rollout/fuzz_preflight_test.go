package rollout_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/source/snapshot"
)

const strange = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop, uid: s}
spec: {replicas: 3, serviceName: db, selector: {matchLabels: {app: db}}, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 9}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: a, image: a, resources: {requests: {cpu: 1e9}}}]}}, volumeClaimTemplates: [{metadata: {name: data}}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop, uid: d}
spec: {selector: {matchExpressions: [{key: app, operator: Exists}]}, updateStrategy: {rollingUpdate: {maxUnavailable: "200%", maxSurge: -1}}, template: {metadata: {labels: {app: x}}, spec: {hostNetwork: true, nodeSelector: {a: b}, containers: [{name: a, ports: [{hostPort: 80}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, uid: w}
spec: {replicas: 2, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}, selector: {}, template: {spec: {containers: [{}], volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: p, namespace: shop}
spec: {minAvailable: "x%", selector: {matchLabels: {app: db}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: shop}
spec: {hard: {requests.cpu: "-1", pods: "0"}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [x]}]}}
status: {hard: {requests.cpu: "1"}, used: {requests.cpu: "1e30"}}
---
apiVersion: v1
kind: Node
metadata: {name: n}
spec: {taints: [{key: a, operator: Gt, effect: NoSchedule}]}
status: {allocatable: {cpu: "0", pods: "-5"}}
`

// FuzzPreflight asks of any dump what stands against rolling its workloads:
// there is an answer, always the same, and it can be written.
func FuzzPreflight(f *testing.F) {
	f.Add(strange)
	for _, name := range []string{"shop", "dns"} {
		text, err := os.ReadFile("../../test/script/testdata/snapshots/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, dump string) {
		store, _, err := snapshot.Read([]string{"-"}, strings.NewReader(dump), snapshot.Options{Now: time.Unix(1767225600, 0), MaxFile: 1 << 18})
		if err != nil {
			return
		}
		contents := store.Contents()
		var targets []object.Ref
		proposals := rollout.Proposals{}
		for gk, objects := range contents.Objects {
			if gk.Group == "apps" && slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, gk.Kind) {
				for _, o := range objects {
					targets = append(targets, object.New("apps/v1", gk.Kind, o.GetNamespace(), o.GetName()))
				}
			}
		}
		slices.SortFunc(targets, object.Compare)
		targets = targets[:min(len(targets), 10)]
		say := func() string {
			v := index.New(contents)
			rollout.PreflightNeeds(v, targets, proposals, true)
			out, err := json.Marshal(rollout.Preflight(v, targets, proposals, true))
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		if a, b := say(), say(); a != b {
			t.Errorf("two answers:\n%s\n%s", a, b)
		}
	})
}
