package e2e

import "time"

const nginx = `containers: [{name: web, image: "nginx:1.25"}]`

func imageFaults() []fault {
	fine := Deployment("fine", nginx)
	return []fault{
		{name: "image-not-found", object: "Pod", says: "nginx:1.2525", well: fine,
			broken: Deployment("web", `containers: [{name: web, image: "nginx:1.2525"}]`)},
		{name: "image-auth", object: "Pod", says: "example.org/private/app:1", well: fine,
			broken: Deployment("web", `containers: [{name: web, image: "example.org/private/app:1"}]`)},
		{name: "image-rate-limit", object: "Pod", says: "example.org/ratelimit/app:1", well: fine,
			broken: Deployment("web", `containers: [{name: web, image: "example.org/ratelimit/app:1"}]`)},
		{name: "image-registry-down", object: "Pod", says: "example.org/broken/app:1", well: fine,
			broken: Deployment("web", `containers: [{name: web, image: "example.org/broken/app:1"}]`)},
		{name: "image-invalid", object: "Pod", says: "Nginx:1.25", well: fine,
			broken: Deployment("web", `containers: [{name: web, image: "Nginx:1.25"}]`)},
		{name: "image-never-pull", object: "Pod", says: "absent:1",
			broken: Deployment("web", `containers: [{name: web, image: "absent:1", imagePullPolicy: Never}]`),
			well:   Deployment("fine", `containers: [{name: web, image: "nginx:1.25", imagePullPolicy: Never}]`)},
		{name: "image-not-found-in-an-init-container", code: "tree/image-not-found", object: "Pod", says: "busybox:22",
			broken: Deployment("web", `{initContainers: [{name: prepare, image: "busybox:22"}], `+nginx+`}`),
			well:   Deployment("fine", `{initContainers: [{name: prepare, image: "busybox:1.36", command: ["true"]}], `+nginx+`}`)},
	}
}

func startFaults() []fault {
	settings := configMap("settings")
	env := func(source string) string {
		return `containers: [{name: web, image: "nginx:1.25", env: [{name: COLOUR, valueFrom: {` + source + `}}]}]`
	}
	mount := func(volume string) string {
		return `{volumes: [{name: files, ` + volume + `}], containers: [{name: web, image: "nginx:1.25", volumeMounts: [{name: files, mountPath: /files}]}]}`
	}
	shell := func(script string) string {
		return `containers: [{name: web, image: "busybox:1.36", command: [sh, -c, "` + script + `"]}]`
	}
	memory := func(limit string) string {
		return `containers: [{name: web, image: "nginx:1.25", env: [{name: ALLOCATE_MB, value: "96"}], resources: {limits: {memory: ` + limit + `}}}]`
	}
	return []fault{
		{name: "config-object-missing", code: "tree/reference-missing", says: "ConfigMap/absent", also: []string{"tree/config-object-missing"},
			broken: Deployment("web", `containers: [{name: web, image: "nginx:1.25", envFrom: [{configMapRef: {name: absent}}]}]`),
			well:   Deployment("fine", `containers: [{name: web, image: "nginx:1.25", envFrom: [{configMapRef: {name: absent, optional: true}}]}]`)},
		{name: "config-secret-missing", code: "tree/reference-missing", says: "Secret/absent", also: []string{"tree/config-object-missing"},
			broken: Deployment("web", env(`secretKeyRef: {name: absent, key: password}`)),
			well:   Deployment("fine", env(`secretKeyRef: {name: absent, key: password, optional: true}`))},
		{name: "config-key-missing", code: "tree/reference-missing", says: "size", also: []string{"tree/config-key-missing"}, first: settings,
			broken: Deployment("web", env(`configMapKeyRef: {name: settings, key: size}`)),
			well:   Deployment("fine", env(`configMapKeyRef: {name: settings, key: size, optional: true}`))},
		{name: "mount-object-missing", code: "tree/reference-missing", says: "ConfigMap/absent",
			broken: Deployment("web", mount(`configMap: {name: absent}`)),
			well:   Deployment("fine", mount(`configMap: {name: absent, optional: true}`))},
		{name: "mount-key-missing", code: "tree/reference-missing", says: "size", first: settings,
			broken: Deployment("web", mount(`configMap: {name: settings, items: [{key: size, path: size}]}`)),
			well:   Deployment("fine", mount(`configMap: {name: settings, items: [{key: colour, path: colour}]}`))},
		{name: "run-error", object: "Pod", says: "/no/such/program",
			broken: Deployment("web", `containers: [{name: web, image: "nginx:1.25", command: [/no/such/program]}]`),
			well:   Deployment("fine", `containers: [{name: web, image: "nginx:1.25", command: [/usr/bin/testserver]}]`)},
		{name: "crash-app", object: "Pod", says: "(exit(s|ed)?|code) .*3",
			broken: Deployment("web", shell("echo cannot open database; exit 3")),
			well:   Deployment("fine", shell("echo cannot open database; sleep 100000"))},
		{name: "crash-exit0", object: "Pod",
			broken: Deployment("web", `containers: [{name: web, image: "busybox:1.36"}]`),
			well:   Job("fine", `{restartPolicy: Never, containers: [{name: web, image: "busybox:1.36"}]}`), sane: "job/fine"},
		{name: "oom", object: "Pod", says: "64Mi", broken: Deployment("web", memory("64Mi")), well: Deployment("fine", memory("192Mi"))},
		{name: "init-crash", object: "Pod", says: "prepare",
			broken: Deployment("web", `{initContainers: [{name: prepare, image: "busybox:1.36", command: [sh, -c, "echo no database; exit 1"]}], `+nginx+`}`),
			well:   Deployment("fine", `{initContainers: [{name: prepare, image: "busybox:1.36", command: [sh, -c, "echo no database; exit 0"]}], `+nginx+`}`)},
		{name: "sidecar-crash", object: "Pod", says: "proxy",
			broken: Deployment("web", `{initContainers: [{name: proxy, restartPolicy: Always, image: "busybox:1.36", command: ["false"]}], `+nginx+`}`),
			well:   Deployment("fine", `{initContainers: [{name: proxy, restartPolicy: Always, image: "busybox:1.36", command: [sleep, "100000"]}], `+nginx+`}`)},
		{name: "poststart-hook", object: "Pod",
			broken: Deployment("web", `containers: [{name: web, image: "nginx:1.25", lifecycle: {postStart: {exec: {command: ["false"]}}}}]`),
			well:   Deployment("fine", `containers: [{name: web, image: "nginx:1.25", lifecycle: {postStart: {exec: {command: ["true"]}}}}]`)},
		{name: "job-failed", object: "Pod", code: "tree/crash-app", also: []string{"tree/job-failed"}, ask: "job/web",
			broken: Job("web", `{restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["false"]}]}`, "backoffLimit: 0"),
			well:   Job("fine", `{restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["true"]}]}`, "backoffLimit: 0"), sane: "job/fine"},
	}
}

func probeFaults() []fault {
	server := func(env, probes string) string {
		return `containers: [{name: web, image: "nginx:1.25", env: [` + env + `], ` + probes + `}]`
	}
	return []fault{
		{name: "liveness-kill", object: "Pod", says: "liveness",
			broken: Deployment("web", server(`{name: UNHEALTHY_AFTER, value: 1s}`, `livenessProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 1, failureThreshold: 2}`)),
			well:   Deployment("fine", server(`{name: UNHEALTHY_AFTER, value: 1h}`, `livenessProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 1, failureThreshold: 2}`))},
		{name: "startup-kill", object: "Pod", says: "startup",
			broken: Deployment("web", server(`{name: START_AFTER, value: 1h}`, `startupProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 1, failureThreshold: 3}`)),
			well:   Deployment("fine", server(`{name: START_AFTER, value: 2s}`, `startupProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 1, failureThreshold: 60}`))},
		{name: "readiness-failing", object: "Pod", says: "readiness",
			broken: Deployment("web", server(`{name: READY_AFTER, value: 1h}`, `readinessProbe: {httpGet: {path: /readyz, port: 80}, periodSeconds: 1}`)),
			well:   Deployment("fine", server(`{name: READY_AFTER, value: 5s}`, `readinessProbe: {httpGet: {path: /readyz, port: 80}, periodSeconds: 1}`))},
		{name: "readiness-failing-past-the-deadline", code: "tree/readiness-failing", object: "Pod", says: "readiness", also: []string{"tree/progress-deadline"}, onTheWay: []string{"tree/progress-deadline"},
			broken: Deployment("web", server(`{name: READY_AFTER, value: 1h}`, `readinessProbe: {httpGet: {path: /readyz, port: 80}, periodSeconds: 1}`), "progressDeadlineSeconds: 10"),
			well:   Deployment("fine", server(`{name: READY_AFTER, value: 3s}`, `readinessProbe: {httpGet: {path: /readyz, port: 80}, periodSeconds: 1}`), "progressDeadlineSeconds: 30")},
		{name: "readiness-gate", object: "Pod", says: "example.com/approved",
			broken: Deployment("web", `{readinessGates: [{conditionType: example.com/approved}], `+nginx+`}`), well: Deployment("fine", nginx)},
	}
}

func scheduleFaults() []fault {
	mounts := func(claim string) string {
		return `{volumes: [{name: data, persistentVolumeClaim: {claimName: ` + claim + `}}], containers: [{name: web, image: "nginx:1.25", volumeMounts: [{name: data, mountPath: /data}]}]}`
	}
	hostPort := func(port string) string {
		return `containers: [{name: web, image: "nginx:1.25", ports: [{containerPort: 80, hostPort: ` + port + `}]}]`
	}
	return []fault{
		{name: "unsched-resources", object: "Pod", says: "cpu|CPU",
			broken: Deployment("web", `containers: [{name: web, image: "nginx:1.25", resources: {requests: {cpu: "1000"}}}]`),
			well:   Deployment("fine", `containers: [{name: web, image: "nginx:1.25", resources: {requests: {cpu: 1m}}}]`)},
		{name: "unsched-affinity", object: "Pod", says: "disk",
			broken: Deployment("web", `{nodeSelector: {disk: fast}, `+nginx+`}`),
			well:   Deployment("fine", `{nodeSelector: {kubernetes.io/os: linux}, `+nginx+`}`)},
		{name: "unsched-hostport", object: "Pod", says: "18080",
			broken: Deployment("web", hostPort("18080"), "replicas: 3"), well: Deployment("fine", hostPort("18081"), "replicas: 2")},
		{name: "sched-gated", object: "Pod", says: "example.com/hold",
			broken: Deployment("web", `{schedulingGates: [{name: example.com/hold}], `+nginx+`}`), well: Deployment("fine", nginx)},
		{name: "pvc-pending", says: "no-such-class", code: "tree/reference-missing", also: []string{"tree/pvc-pending"},
			broken: Documents(claim("data", "storageClassName: no-such-class, "), Deployment("web", mounts("data"))),
			well:   Documents(claim("good", ""), Deployment("fine", mounts("good")))},
		{name: "claim-missing", says: "PersistentVolumeClaim/absent", code: "tree/reference-missing",
			broken: Deployment("web", mounts("absent")), well: Documents(claim("good", ""), Deployment("fine", mounts("good")))},
		{name: "paused", object: "Deployment", says: "paused", then: []string{"rollout pause deployment/web", "set image deployment/web web=nginx:1.26"},
			broken: Deployment("web", nginx), well: Deployment("fine", nginx)},
		{name: "terminating-stuck", object: "Pod", ask: "pod/web", says: "example.com/hold", patience: 110 * time.Second,
			then:   []string{`patch pod/web -p {"metadata":{"finalizers":["example.com/hold"]}}`, `at the end: patch pod/web -p {"metadata":{"finalizers":null}}`, "delete pod/web --wait=false"},
			broken: Pod("web", nginx), well: Pod("fine", nginx), sane: "pod/fine"},
		{name: "stuck-terminating", object: "ConfigMap", ask: "configmap/web", says: "example.com/hold", patience: 110 * time.Second,
			broken: `{apiVersion: v1, kind: ConfigMap, metadata: {name: web, finalizers: [example.com/hold]}}`,
			then:   []string{`at the end: patch configmap/web -p {"metadata":{"finalizers":null}}`, "delete configmap/web --wait=false"},
			well:   `{apiVersion: v1, kind: ConfigMap, metadata: {name: fine}}`, sane: "configmap/fine"},
	}
}
