package e2e

func creationFaults() []fault {
	request := func(resource, amount string) string {
		return `containers: [{name: web, image: "nginx:1.25", resources: {requests: {` + resource + `: ` + amount + `}, limits: {` + resource + `: ` + amount + `}}}]`
	}
	secure := `containers: [{name: web, image: "nginx:1.25"}]`
	account := `{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}`
	return []fault{
		{name: "quota", says: "few", first: `{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {requests.cpu: 100m}}}`,
			broken: Deployment("web", request("cpu", "500m")), well: Deployment("fine", request("cpu", "10m"))},
		{name: "quota-of-a-statefulset", code: "tree/quota", ask: "statefulset/web", says: "few", first: `{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {requests.cpu: 100m}}}`,
			broken: Documents(Service("web", "clusterIP: None"), StatefulSet("web", request("cpu", "500m"))), well: Deployment("fine", request("cpu", "10m"))},
		{name: "limitrange", says: "memory", first: `{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: Container, max: {memory: 64Mi}}]}}`,
			broken: Deployment("web", request("memory", "128Mi")), well: Deployment("fine", request("memory", "32Mi"))},
		{name: "podsecurity", says: "[Hh]ost", labels: "pod-security.kubernetes.io/enforce=baseline",
			broken: Deployment("web", `{hostNetwork: true, `+secure+`}`), well: Deployment("fine", secure)},
		{name: "sa-missing", code: "tree/reference-missing", says: "ServiceAccount/ghost", first: account, also: []string{"tree/sa-missing"},
			broken: Deployment("web", `{serviceAccountName: ghost, `+nginx+`}`), well: Deployment("fine", `{serviceAccountName: robot, `+nginx+`}`)},
		{name: "priorityclass-missing", code: "tree/reference-missing", says: "PriorityClass/no-such-priority", also: []string{"tree/priorityclass-missing"},
			broken: Deployment("web", `{priorityClassName: no-such-priority, `+nginx+`}`), well: Deployment("fine", nginx)},
		{name: "webhook-denied", says: "labels are not enough",
			first: `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: NAMESPACE}, spec: {
  matchConstraints: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}, objectSelector: {matchLabels: {app: web}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]},
  validations: [{expression: "false", message: labels are not enough}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: NAMESPACE}, spec: {policyName: NAMESPACE, validationActions: [Deny]}}`,
			then:   []string{"at the end: delete validatingadmissionpolicy,validatingadmissionpolicybinding NAMESPACE"},
			broken: Deployment("web", nginx), well: Deployment("fine", nginx)},
		{name: "webhook-unreachable", says: "check.example.com",
			first: `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: NAMESPACE}, webhooks: [{
  name: check.example.com, sideEffects: None, admissionReviewVersions: [v1], timeoutSeconds: 2, failurePolicy: Fail,
  clientConfig: {service: {name: absent, namespace: NAMESPACE}}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}, objectSelector: {matchLabels: {app: web}},
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}`,
			then:   []string{"at the end: delete validatingwebhookconfiguration NAMESPACE"},
			broken: Deployment("web", nginx), well: Deployment("fine", nginx)},
	}
}

func ownerFaults() []fault {
	owned := func(name, extra, owner string) string {
		return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ` + name + `, ` + extra + `ownerReferences: [{` + owner + `}]}}`
	}
	const fine = `{apiVersion: v1, kind: ConfigMap, metadata: {name: fine}}`
	return []fault{
		{name: "owner-missing", object: "ConfigMap", ask: "configmap/child", says: "Ghost/gone", sane: "configmap/fine", well: fine,
			broken: owned("child", "", `apiVersion: ghosts.example.com/v1, kind: Ghost, name: gone, uid: 3bfa0c32-8f5c-4f0e-9a4d-000000000001`)},
		{name: "owner-wrong-uid", object: "ConfigMap", ask: "configmap/child", says: "settings", sane: "configmap/fine", well: fine,
			broken: Documents(`{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}`,
				owned("child", "finalizers: [example.com/hold], ", `apiVersion: v1, kind: ConfigMap, name: settings, uid: 3bfa0c32-8f5c-4f0e-9a4d-000000000002`)),
			then: []string{`at the end: patch configmap/child -p {"metadata":{"finalizers":null}}`}},
		{name: "owner-cross-namespace", object: "ClusterRole", ask: "clusterrole/NAMESPACE", sane: "configmap/fine", well: fine,
			first:  `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}`,
			broken: `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAMESPACE, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: settings, uid: 3bfa0c32-8f5c-4f0e-9a4d-000000000003}]}}`,
			then:   []string{"at the end: delete clusterrole NAMESPACE"}},
		{name: "owner-cycle", object: "ConfigMap", ask: "configmap/hen", sane: "configmap/fine", well: fine,
			broken: Documents(`{apiVersion: v1, kind: ConfigMap, metadata: {name: hen}}`, `{apiVersion: v1, kind: ConfigMap, metadata: {name: egg}}`),
			then: []string{
				`patch configmap/egg -p {"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"hen","uid":"uid:configmap/hen:"}]}}`,
				`patch configmap/hen -p {"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"egg","uid":"uid:configmap/egg:"}]}}`,
			}},
		{name: "owner-cycle-of-one", code: "tree/owner-cycle", object: "ConfigMap", ask: "configmap/hen", sane: "configmap/fine", well: fine,
			broken: `{apiVersion: v1, kind: ConfigMap, metadata: {name: hen}}`,
			then:   []string{`patch configmap/hen -p {"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"hen","uid":"uid:configmap/hen:"}]}}`}},
		{name: "orphan", object: "Pod", ask: "pod/web-orphan", sane: "deployment/fine",
			broken: Documents(ReplicaSet("web", nginx), `{apiVersion: v1, kind: Pod, metadata: {name: web-orphan, labels: {app: lost, pod-template-hash: 5d4b9c}}, spec: {terminationGracePeriodSeconds: 1, `+nginx+`}}`),
			well:   Deployment("fine", nginx)},
	}
}

func referenceFaults() []fault {
	ingress := func(name, backend, tls string) string {
		return `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ` + name + `}, spec: {` + tls + `rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ` + backend + `, port: {number: 80}}}}]}}]}}`
	}
	behind := Documents(Service("fine"), Deployment("fine", nginx))
	binding := func(name, role string) string {
		return `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ` + name + `}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ` + role + `}, subjects: [{kind: ServiceAccount, name: default}]}`
	}
	missing := func(f fault) fault { f.code = "tree/reference-missing"; return f }
	return []fault{
		missing(fault{name: "ingress-to-no-service", ask: "ingress/web", says: "Service/absent", broken: ingress("web", "absent", ""), well: Documents(behind, ingress("good", "fine", "")), sane: "ingress/good", mild: true}),
		missing(fault{name: "ingress-with-no-certificate", ask: "ingress/web", says: "Secret/absent", broken: ingress("web", "fine", "tls: [{secretName: absent}], "), well: Documents(behind, ingress("good", "fine", "")), sane: "ingress/good", mild: true}),
		missing(fault{name: "binding-of-no-role", ask: "rolebinding/web", says: "Role/absent", broken: binding("web", "absent"),
			well: Documents(`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: []}`, binding("good", "reader")), sane: "rolebinding/good"}),
		missing(fault{name: "statefulset-with-no-service", ask: "statefulset/web", says: "Service/web", broken: StatefulSet("web", nginx), well: Documents(Service("fine", "clusterIP: None"), StatefulSet("fine", nginx)), sane: "statefulset/fine"}),
	}
}

func selectionFaults() []fault {
	budget := func(name, app string) string {
		return `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: ` + name + `}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: ` + app + `}}}}`
	}
	autoscaler := func(name, target string) string {
		return `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: ` + name + `}, spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ` + target + `}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}`
	}
	fine := Deployment("fine", nginx)
	return []fault{
		{name: "selector-overlap", says: "(?i)select", object: "Deployment",
			broken: Documents(Deployment("web", nginx), Deployment("backend", nginx, `{selector: {matchLabels: {app: web, service: backend}}, metadata: {labels: {app: web, service: backend}}}`)), well: fine},
		{name: "pdb-overlap", says: "same pods",
			broken: Documents(Deployment("web", nginx), budget("first", "web"), budget("second", "web")), well: Documents(fine, budget("third", "fine"))},
		{name: "pdb-unused", object: "PodDisruptionBudget", ask: "pdb/lonely", broken: budget("lonely", "nobody"), well: Documents(fine, budget("third", "fine")), sane: "pdb/third"},
		{name: "hpa-target-missing", object: "HorizontalPodAutoscaler", ask: "hpa/lonely", says: "Deployment/absent", broken: autoscaler("lonely", "absent"), well: Documents(fine, autoscaler("good", "fine")), sane: "hpa/good", mild: true},
		{name: "service-unused", object: "Service", ask: "service/lonely", broken: Service("lonely"), well: Documents(fine, Service("fine")), sane: "service/fine"},
	}
}
