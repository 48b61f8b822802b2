package e2e

import (
	"strings"
	"testing"
	"time"
)

func TestStory1TheWorkshop(t *testing.T) {
	w := begin(t, "workshop")
	w.do("create deployment nginx-depl --image=nginx:1.25")
	w.do("rollout status deployment/nginx-depl")
	w.sees("deploy/nginx-depl --learn", expect{verdict: "ok", code: "none", learn: "A Deployment manages ReplicaSets",
		rows: []string{"Deployment/nginx-depl 1/1", "ReplicaSet/nginx-depl-* current", "Pod/nginx-depl-* Running", "container/nginx nginx:1.25"}})
	w.sees("deploy/nginx-depl --learn", expect{learn: "A ReplicaSet keeps"})

	w.do("set image deployment/nginx-depl nginx=nginx:1.26")
	w.do("rollout status deployment/nginx-depl")
	w.sees("deploy/nginx-depl", expect{verdict: "ok", rows: []string{
		"ReplicaSet/nginx-depl-* revision 2, current", "ReplicaSet/nginx-depl-* kept for rollback.*revision 1", "container/nginx nginx:1.26"}})
	w.sees("deploy/nginx-depl", expect{rows: []string{"ReplicaSet/nginx-depl-* nginx:1.25"}}) // what going back would change
	w.record("1-layers", "Which layer does what", "deployment/nginx-depl --learn",
		"The workshop's nginx was given a new image. Which ReplicaSet is current, which is kept to go back to, and what does each layer do? With --learn every kind along the way explains itself in one sentence.")

	w.apply(Deployment("mongo-depl", `containers: [{name: mongo, image: "mongo", env: [{name: EXIT_AFTER, value: 500ms}, {name: EXIT_LOG, value: "cannot open /data/db: no space left on device"}]}]`))
	mongo := w.sees("deploy/mongo-depl", expect{verdict: "broken", code: "tree/crash-app", says: "does not run.*no space left on device", rows: []string{"container/mongo restarted [2-9]×"}}, 90*time.Second)
	if strings.Contains(mongo.Report.Summary, "BackOff") {
		t.Errorf("the root cause is not the back-off: %s", mongo.Report.Summary)
	}
	w.record("1-crash", "It restarts and restarts", "deployment/mongo-depl",
		"The database of the workshop does not come up before the sale. kubectl says BackOff; that is the kubelet's patience, not the cause. The cause is in the last words of the program.")

	// Endpoints look perfect although nothing listens on the port; that is for
	// check-endpoints to say, and this tree does not accuse the Service.
	w.apply(`{apiVersion: v1, kind: Service, metadata: {name: nginx-svc}, spec: {selector: {app: nginx-depl}, ports: [{port: 80, targetPort: 8080}]}}`)
	w.sees("svc/nginx-svc", expect{verdict: "ok", rows: []string{"Service/nginx-svc 1/1", "Deployment/nginx-depl .*"}})

	w.apply(Deployment("slow-depl", `{terminationGracePeriodSeconds: 25, containers: [{name: web, image: "nginx", env: [{name: IGNORE_TERM, value: "yes"}]}]}`))
	w.do("rollout status deployment/slow-depl")
	pod := strings.TrimSpace(w.do("get pods -l app=slow-depl -o jsonpath={.items[0].metadata.name}"))
	w.do("delete deployment slow-depl --wait=false")
	w.sees("pod/"+pod, expect{verdict: "progressing", code: "none", says: "(?i)terminating|being deleted|ends", rows: []string{"Pod/slow-depl-* (?i)terminating"}}, 15*time.Second)
}

func TestStory2TheLabs(t *testing.T) {
	w := begin(t, "labs")
	count := `[sh, -c, "i=0; while true; do echo $i; i=$((i+1)); sleep 1; done"]`
	w.apply(Pod("counter", `containers: [{name: count, image: "busybox:1.36", command: `+count+`}]`),
		Pod("three", `containers: [{name: one, image: "busybox:1.36", command: `+count+`}, {name: two, image: "busybox:1.36", command: `+count+`}, {name: three, image: nginx}]`),
		ReplicaSet("trio", `containers: [{name: web, image: "nginx:1.25"}]`, "replicas: 3"))
	w.do("wait pod/counter pod/three --for=condition=Ready")
	bare := w.sees("pod/counter", expect{verdict: "ok", rows: []string{"Pod/counter Running"}})
	if f, ok := bare.Report.Find("tree/orphan"); !ok || !strings.Contains(f.Message, "nothing recreates it") {
		t.Errorf("it must be said that nobody recreates a bare pod:\n%s", bare.Report.Outline())
	}
	w.sees("pod/three", expect{verdict: "ok", rows: []string{"container/one running", "container/two running", "container/three running"}})

	w.sees("rs/trio", expect{verdict: "ok", rows: []string{"ReplicaSet/trio 3/3"}})
	w.do("set image replicaset/trio web=nginx:1.26")
	w.sees("rs/trio", expect{code: "tree/old-template", says: "3 pods still run nginx:1.25.*nginx:1.26", rows: []string{"ReplicaSet/trio 3/3", "container/web nginx:1.25"}})

	w.apply(Deployment("app", `containers: [{name: web, image: "nginx:1.25"}]`, "replicas: 3"))
	w.do("rollout status deployment/app")
	w.do("set image deployment/app web=nginx:1.26")
	w.sees("deploy/app", expect{rows: []string{"ReplicaSet/app-* revision 2, current"}})
	w.do("rollout status deployment/app")
	w.sees("deploy/app", expect{verdict: "ok", code: "none", rows: []string{"ReplicaSet/app-* 3/3 \\| revision 2, current", "ReplicaSet/app-* kept for rollback"}})

	w.do("set image deployment/app web=busybox:22")
	w.sees("deploy/app", expect{verdict: "broken", code: "tree/image-not-found", says: "busybox:22.*old revision still serves \\(3/3\\)",
		rows: []string{"ReplicaSet/app-* still serving", "ReplicaSet/app-* current"}})
	w.record("2-bad-tag", "A tag that does not exist", "deployment/app",
		"Somebody rolled the app to busybox:22. The new pod cannot pull its image, the old ones go on serving. What is broken, does anyone lose service, and to which revision can one go back?")
	w.do("rollout undo deployment/app")
	w.sees("deploy/app", expect{verdict: "ok", code: "none"}, 60*time.Second)

	forest := w.sees("pods -l app=app", expect{verdict: "ok"})
	asked := 0
	for _, n := range forest.Report.Rows() {
		if n.Asked {
			asked++
		}
	}
	if asked != 3 {
		t.Errorf("-l names 3 pods, %d are marked as asked about", asked)
	}

	w.apply(`{apiVersion: v1, kind: Service, metadata: {name: frontdoor}, spec: {type: NodePort, selector: {app: app}, ports: [{port: 9090, targetPort: 80}]}}`)
	w.sees("svc/frontdoor", expect{verdict: "ok", rows: []string{"Service/frontdoor 3/3"}})
	w.apply(DaemonSet("agent", nginx), Service("db", "clusterIP: None"),
		StatefulSet("db", `containers: [{name: db, image: "redis:7", volumeMounts: [{name: data, mountPath: /data}]}]`, "replicas: 2",
			`volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]`))
	w.sees("ds/agent", expect{verdict: "ok", rows: []string{"DaemonSet/agent 2/2"}})
	w.sees("sts/db", expect{verdict: "ok", rows: []string{"StatefulSet/db 2/2", "PersistentVolumeClaim/data-db-0 outlives", "PersistentVolumeClaim/data-db-1 outlives", "Service/db .*"}})
}

func TestStory3LabelsAddedLater(t *testing.T) {
	w := begin(t, "labels")
	w.do("run naked --image=nginx --labels=")
	w.do("wait pod/naked --for=condition=Ready")
	w.do("label pod naked run-")
	w.apply(`{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30020}]}}`)
	w.sees("svc/web", expect{code: "tree/service-unused", says: "app=web"})
	w.record("3-no-endpoints", "A Service that reaches nothing", "service/web",
		"A pod runs and a Service stands before it, yet nothing answers: the pod was made without the label that the Service selects.")
	w.do("label pod naked app=web")
	w.sees("svc/web", expect{verdict: "ok", code: "none", rows: []string{"Service/web 1/1", "Pod/naked Running"}})
}

func TestStory4WhatRunsTheCluster(t *testing.T) {
	w := begin(t, "cluster")
	node := strings.TrimSpace(kubectl(t, "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"))
	w.sees("node/"+node+" --learn", expect{rows: []string{"Node/" + node + " Ready", "Lease/" + node + " .*"}})
	w.sees("-n kube-system deployments -l k8s-app=kube-dns", expect{verdict: "ok", rows: []string{"Service/kube-dns .*", "Deployment/coredns .*"}})
	w.record("4-control-plane", "What runs the cluster", "-n kube-system deploy/coredns --learn",
		"Every name that a pod looks up is answered by CoreDNS. It is a Deployment like any other: one stable address in front, two pods behind, spread over the nodes, its configuration in a ConfigMap, its rights from a ServiceAccount.")
	w.apply(Deployment("web", nginx, "replicas: 3", "strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 2}}"), Service("web"),
		Deployment("careful", nginx, "replicas: 2", "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"))
	w.sees("svc/web", expect{verdict: "ok", rows: []string{"Service/web 3/3"}})
	w.do("scale deployment/web --replicas=5")
	w.sees("svc/web", expect{verdict: "ok", rows: []string{"Service/web 5/5", "Deployment/web 5/5"}})
	w.sees("namespace/"+w.namespace, expect{verdict: "ok", code: "none", rows: []string{"Service/web 5/5", "Deployment/careful 2/2"}})
	w.do("set image deployment/careful web=nginx:1.26")
	w.sees("deploy/careful", expect{verdict: "ok", code: "none", rows: []string{"ReplicaSet/careful-* 2/2 \\| revision 2, current"}})
}

func TestStory5TheRealisticApplication(t *testing.T) {
	w := begin(t, "shop")
	w.apply(shop()...)
	w.do("rollout status deployment/backend")
	w.sees("deploy/frontend", expect{code: "tree/selector-overlap", says: "backend"})
	w.record("5-overlap", "Two Deployments that claim the same pods", "deployment/frontend",
		"The shop's first manifest selects app=web. The backend's pods carry that label too. Nothing fails yet, and that is the danger.")
	w.do("delete deployment frontend --wait")
	w.apply(frontend("service: nginx"))
	w.do("rollout status deployment/frontend")
	w.sees("deploy/frontend", expect{verdict: "ok", code: "none", rows: []string{"Service/nginx .*", "Ingress/shop .*", "ConfigMap/nginx-conf mounted at /etc/nginx", "Deployment/frontend 2/2"}})
	w.sees("deploy/backend", expect{verdict: "ok", rows: []string{"Service/app .*", "Service/redis REDIS_URL"}})
	w.sees("sts/redis", expect{verdict: "ok", rows: []string{"PersistentVolumeClaim/data-redis-0 outlives", "PersistentVolume/* bound", "StorageClass/* .*"}})
	w.sees("svc/nginx", expect{rows: []string{"Service/nginx no external address"}})
	w.do("set image deployment/frontend nginx=nginx:1.2525")
	w.sees("deploy/frontend", expect{verdict: "broken", code: "tree/image-not-found", says: "nginx:1.2525.*old revision still serves \\(2/2\\)",
		rows: []string{"ReplicaSet/frontend-* still serving", "Ingress/shop .*"}})
	w.record("5-stuck-rollout", "The sale begins and the rollout stands still", "deployment/frontend",
		"nginx in front, Go behind it, Redis below. The frontend was rolled to nginx:1.2525. One command shows what is broken, from the Ingress to the container, and that the customers have not noticed yet.")
	w.sees("pvc/data-redis-0", expect{verdict: "ok", rows: []string{"PersistentVolume/* (?i)delete"}}, 10*time.Second)
}

// shop is the application of story 5, with the frontend that selects too much.
func shop() []string {
	return []string{
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: nginx-conf}, data: {nginx.conf: "proxy_pass http://app:8080;"}}`,
		frontend(""),
		Deployment("backend", `containers: [{name: app, image: "netapp:v1", env: [{name: REDIS_URL, value: "redis:6379"}], ports: [{containerPort: 8080}]}]`, "replicas: 2", `selector: {matchLabels: {app: web, service: app}}`, `metadata: {labels: {app: web, service: app}}`),
		StatefulSet("redis", `containers: [{name: redis, image: "redis:7", volumeMounts: [{name: data, mountPath: /data}]}]`,
			`volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]`),
		`{apiVersion: v1, kind: Service, metadata: {name: nginx}, spec: {type: LoadBalancer, selector: {app: web, service: nginx}, ports: [{port: 80}]}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: app}, spec: {selector: {app: web, service: app}, ports: [{port: 8080}]}}`,
		Service("redis", "clusterIP: None", "ports: [{port: 6379}]"),
		`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop}, spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nginx, port: {number: 80}}}}]}}]}}`,
	}
}

// frontend selects app=web, and what more says beside it.
func frontend(more string) string {
	return Deployment("frontend", `{volumes: [{name: conf, configMap: {name: nginx-conf}}], containers: [{name: nginx, image: "nginx:1.25", volumeMounts: [{name: conf, mountPath: /etc/nginx}]}]}`,
		"replicas: 2", "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", "selector: {matchLabels: {app: web, "+more+"}}", "metadata: {labels: {app: web, service: nginx}}")
}
