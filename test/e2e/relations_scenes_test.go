package e2e

const asleep = `{automountServiceAccountToken: false, containers: [{name: web, image: "busybox:1.36", command: [sleep, "1000000"]}]}`

func configMap(name string) string {
	return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ` + name + `}, data: {colour: red}}`
}

func secret(name string) string {
	return `{apiVersion: v1, kind: Secret, metadata: {name: ` + name + `}, stringData: {password: hidden}}`
}

func claim(name, spec string) string {
	return `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ` + name + `}, spec: {accessModes: [ReadWriteOnce], ` + spec + `resources: {requests: {storage: 1Mi}}}}`
}

// workloadScenes are all controllers of the cluster, with pods that run.
func workloadScenes() []scene {
	const store = `volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]`
	return []scene{
		{name: "deployment", manifests: Documents(Deployment("web", nginx), Service("web"), configMap("settings"),
			`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: by-hand, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, endpoints: []}`), then: []string{"rollout status deployment/web"}, asks: []ask{
			{"deployment/web", []string{"deployment-replicaset ReplicaSet/web-*", "replicaset-pod Pod/web-*", "service-pod Service/web"}},
			{"service/web", []string{"endpointslice-service EndpointSlice/by-hand"}},
			{"pods -l app=web", []string{"pod-node Node/*", "deployment-replicaset ReplicaSet/web-*", "service-pod Service/web"}},
			{"endpointslices -l endpointslice.kubernetes.io/managed-by=endpointslice-controller.k8s.io", []string{"endpointslice-target Pod/web-*"}},
			{"namespace/NAMESPACE", []string{"namespace-content Service/web", "namespace-content ConfigMap/settings"}},
		}},
		{name: "replicationcontroller", asks: []ask{{"rc/web", []string{"replicationcontroller-pod Pod/web-*"}}},
			manifests: `{apiVersion: v1, kind: ReplicationController, metadata: {name: web}, spec: {replicas: 1, selector: {app: web}, template: {metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: "nginx:1.25"}]}}}}`},
		{name: "statefulset", manifests: Documents(Service("web", "clusterIP: None"), StatefulSet("web", asleep, store)), asks: []ask{
			{"statefulset/web", []string{"statefulset-pod Pod/web-0", "statefulset-claim PersistentVolumeClaim/data-web-0", "claim-volume PersistentVolume/*", "claim-class StorageClass/*"}},
			{"statefulset/web --relations all --all", []string{"statefulset-revision ControllerRevision/web-*"}},
			{"statefulset/web --relations statefulset-service", []string{"statefulset-service Service/web"}},
			{"pvc/data-web-0 --relations statefulset-claim", []string{"statefulset-claim StatefulSet/web"}},
		}},
		// A claim of the name that is meant for the pod's volume, and not its own.
		{name: "volumes", manifests: Documents(claim("web-scratch", ""), `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: "nginx:1.25"}], volumes: [
  {name: scratch, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], storageClassName: standard, resources: {requests: {storage: 1Mi}}}}}},
  {name: keys, csi: {driver: keys.example.com}}]}}`), asks: []ask{
			{"pod/web", []string{"volume-ephemeral-claim PersistentVolumeClaim/web-scratch", "volume-ephemeral-class StorageClass/standard", "volume-csi-driver CSIDriver/keys.example.com"}},
		}},
		{name: "daemonset", manifests: DaemonSet("web", asleep), asks: []ask{
			{"daemonset/web", []string{"daemonset-pod Pod/web-*"}},
			{"daemonset/web --relations all --all", []string{"daemonset-revision ControllerRevision/web-*"}},
		}},
		{name: "cronjob", then: []string{"create job web-now --from=cronjob/web"}, asks: []ask{
			{"cronjob/web", []string{"cronjob-job Job/web-now", "job-pod Pod/web-now-*"}},
			{"job/web-now", []string{"cronjob-job Job/web-now", "job-pod Pod/web-now-*"}},
		}, manifests: `{apiVersion: batch/v1, kind: CronJob, metadata: {name: web}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: web, image: "busybox:1.36", command: ["true"]}]}}}}}}`},
	}
}

// templateScenes are what pods need, told from a template without pods.
func templateScenes() []scene {
	const pod = `
serviceAccountName: robot
priorityClassName: NAMESPACE
runtimeClassName: NAMESPACE
imagePullSecrets: [{name: login}]
resourceClaims: [{name: own, resourceClaimName: gpu}, {name: made, resourceClaimTemplateName: gpus}]
volumes:
- {name: a, configMap: {name: settings}}
- {name: b, configMap: {name: by-key, items: [{key: colour, path: colour}]}}
- {name: c, secret: {secretName: files}}
- {name: d, projected: {sources: [{configMap: {name: settings-projected}}, {secret: {name: secret-projected}}]}}
- {name: e, persistentVolumeClaim: {claimName: data}}
containers:
- name: web
  image: nginx:1.25
  volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}, {name: c, mountPath: /c}, {name: d, mountPath: /d}, {name: e, mountPath: /e}]
  env:
  - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings-env, key: colour}}}
  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: secret-env, key: password}}}
  - {name: REDIS_URL, value: "redis:6379"}
  envFrom: [{configMapRef: {name: settings-all}}, {secretRef: {name: secret-all}}]
`
	return []scene{{
		name: "template",
		manifests: Documents(configMap("settings"), configMap("by-key"), configMap("settings-projected"), configMap("settings-env"), configMap("settings-all"),
			secret("files"), secret("secret-projected"), secret("secret-env"), secret("secret-all"), secret("login"), claim("data", ""),
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}, imagePullSecrets: [{name: login}]}`,
			`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: NAMESPACE}, value: 7}`,
			`{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: NAMESPACE}, handler: special}`,
			`{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {name: gpu}, spec: {devices: {requests: [{name: one, exactly: {deviceClassName: none}}]}}}`,
			`{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {name: gpus}, spec: {spec: {devices: {requests: [{name: one, exactly: {deviceClassName: none}}]}}}}`,
			Service("redis", "ports: [{port: 6379}]"), Deployment("web", pod, "replicas: 0"), Deployment("plain", nginx, "replicas: 0")),
		then: []string{"at the end: delete priorityclass,runtimeclass NAMESPACE"},
		asks: []ask{
			{"deployment/web", []string{
				"volume-configmap ConfigMap/settings", "volume-secret Secret/files", "volume-projected-configmap ConfigMap/settings-projected",
				"volume-projected-secret Secret/secret-projected", "volume-claim PersistentVolumeClaim/data", "env-configmap ConfigMap/settings-env", "env-secret Secret/secret-env",
				"envfrom-configmap ConfigMap/settings-all", "envfrom-secret Secret/secret-all", "image-pull-secret Secret/login", "service-account ServiceAccount/robot",
				"priority-class PriorityClass/NAMESPACE", "runtime-class RuntimeClass/NAMESPACE", "resource-claim ResourceClaim/gpu", "resource-claim-template ResourceClaimTemplate/gpus",
				"env-service Service/redis"}},
			{"deployment/web --relations volume-configmap-item", []string{"volume-configmap-item ConfigMap/by-key"}},
			{"deployment/plain --relations all", []string{"service-account-default ServiceAccount/default"}},
			{"serviceaccount/robot", []string{"service-account-pull-secret Secret/login", "service-account Deployment/web"}},
			{"configmap/settings", []string{"volume-configmap Deployment/web"}},
			{"secret/secret-env", []string{"env-secret Deployment/web"}},
			{"service/redis", []string{"env-service Deployment/web"}},
			{"priorityclass/NAMESPACE", []string{"priority-class Deployment/web"}},
		},
	}}
}

func networkScenes() []scene {
	return []scene{{
		name: "ingress",
		manifests: Documents(Service("web"), Service("rest"), Service("elsewhere", "type: ExternalName", "externalName: web.NAMESPACE.svc.cluster.local"), secret("certificate"),
			`{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: NAMESPACE}, spec: {controller: example.com/none, parameters: {kind: ConfigMap, name: parameters, namespace: NAMESPACE, scope: Namespace}}}`,
			configMap("parameters"), configMap("bucket"),
			`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop}, spec: {ingressClassName: NAMESPACE, tls: [{secretName: certificate}], defaultBackend: {service: {name: rest, port: {number: 80}}}, rules: [{http: {paths: [
  {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}, {path: /static, pathType: Prefix, backend: {resource: {kind: ConfigMap, name: bucket}}}]}}]}}`),
		then: []string{"at the end: delete ingressclass NAMESPACE"},
		asks: []ask{
			{"ingress/shop", []string{"ingress-service Service/web", "ingress-default-service Service/rest", "ingress-resource ConfigMap/bucket", "ingress-tls Secret/certificate", "ingress-class IngressClass/NAMESPACE"}},
			{"service/web", []string{"ingress-service Ingress/shop"}},
			{"service/elsewhere", []string{"service-externalname Service/web"}},
			{"ingressclass/NAMESPACE", []string{"ingressclass-parameters ConfigMap/parameters", "ingress-class Ingress/shop"}},
			{"secret/certificate", []string{"ingress-tls Ingress/shop"}},
		},
	}, {
		name: "policy",
		manifests: Documents(Pod("web", asleep), Pod("friend", asleep),
			`{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: only-friends}, spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}, ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}]}}`,
			`{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {pods: "9"}}}`,
			`{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: Container, default: {memory: 64Mi}}]}}`),
		asks: []ask{
			{"pod/web", []string{"networkpolicy-pod NetworkPolicy/only-friends", "quota-pod ResourceQuota/few", "limitrange-pod LimitRange/small"}},
			{"networkpolicy/only-friends --relations all", []string{"networkpolicy-pod Pod/web", "networkpolicy-peer Pod/friend"}},
			{"resourcequota/few --all", []string{"quota-pod Pod/web"}},
		},
	}}
}

func gatewayScenes() []scene {
	route := func(apiVersion, kind string) string {
		return `{apiVersion: gateway.networking.k8s.io/` + apiVersion + `, kind: ` + kind + `, metadata: {name: shop}, spec: {parentRefs: [{name: door}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
	}
	all := []string{"route-service HTTPRoute/shop", "route-service GRPCRoute/shop", "route-service TCPRoute/shop", "route-service TLSRoute/shop", "route-service UDPRoute/shop", "backendtlspolicy-service BackendTLSPolicy/inner"}
	return []scene{{
		name: "gateway",
		manifests: Documents(Service("web"), secret("certificate"),
			`{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: NAMESPACE}, spec: {controllerName: example.com/none}}`,
			`{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: door}, spec: {gatewayClassName: NAMESPACE, listeners: [{name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: certificate}]}}]}}`,
			route("v1", "HTTPRoute"), route("v1", "GRPCRoute"), route("v1alpha2", "TCPRoute"), route("v1alpha2", "TLSRoute"), route("v1alpha2", "UDPRoute"),
			`{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: inner}, spec: {targetRefs: [{group: "", kind: Service, name: web}], validation: {hostname: web}}}`,
			`{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: grant}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: other}], to: [{group: "", kind: Service, name: web}]}}`),
		then: []string{"at the end: delete gatewayclass NAMESPACE"},
		asks: []ask{
			{"service/web", append(all, "referencegrant-target ReferenceGrant/grant")},
			{"httproute/shop", []string{"route-service Service/web", "route-gateway Gateway/door"}},
			{"gateway/door", []string{"gateway-class GatewayClass/NAMESPACE", "gateway-certificate Secret/certificate", "route-gateway HTTPRoute/shop"}},
			{"referencegrant/grant", []string{"referencegrant-target Service/web"}},
		},
	}}
}

// deviceScenes let the scheduler allocate a device that no driver serves.
func deviceScenes() []scene {
	return []scene{{
		name: "device",
		manifests: Documents(
			`{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: NAMESPACE}, spec: {selectors: [{cel: {expression: "device.driver == 'NAMESPACE.example.com'"}}]}}`,
			`{apiVersion: resource.k8s.io/v1, kind: ResourceSlice, metadata: {name: NAMESPACE}, spec: {driver: NAMESPACE.example.com, allNodes: true, pool: {name: NAMESPACE, generation: 1, resourceSliceCount: 1}, devices: [{name: gpu-0}]}}`,
			`{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {name: gpus}, spec: {spec: {devices: {requests: [{name: one, exactly: {deviceClassName: NAMESPACE}}]}}}}`,
			Pod("web", `{resourceClaims: [{name: made, resourceClaimTemplateName: gpus}], containers: [{name: web, image: "nginx:1.25", resources: {claims: [{name: made}]}}]}`)),
		then: []string{"at the end: delete deviceclass,resourceslice NAMESPACE"},
		asks: []ask{
			{"pod/web", []string{"resource-claim-template ResourceClaimTemplate/gpus", "resource-claim-generated ResourceClaim/web-made-*"}},
			{"resourceslice/NAMESPACE", []string{"resource-claim-slice Pod/web"}}, // which owns the claim
		},
	}, {
		name:      "nominated",
		manifests: Pod("web", `{schedulerName: nobody, containers: [{name: web, image: "nginx:1.25"}]}`),
		then:      []string{`patch pod/web --subresource=status -p {"status":{"nominatedNodeName":"lab-n1"}}`},
		asks:      []ask{{"pod/web", []string{"pod-nominated-node Node/lab-n1"}}},
	}}
}

func storageScenes() []scene {
	volume := `{apiVersion: v1, kind: PersistentVolume, metadata: {name: NAMESPACE}, spec: {capacity: {storage: 1Mi}, accessModes: [ReadWriteOnce], storageClassName: NAMESPACE, persistentVolumeReclaimPolicy: Retain,
  claimRef: {namespace: NAMESPACE, name: data}, csi: {driver: NAMESPACE.example.com, volumeHandle: one}}}`
	return []scene{{
		name: "volume",
		manifests: Documents(volume, claim("data", "storageClassName: NAMESPACE, volumeName: NAMESPACE, "),
			claim("copy", "dataSourceRef: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: photo}, "), claim("fast", "volumeAttributesClassName: NAMESPACE, "),
			`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: NAMESPACE}, provisioner: kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}`,
			`{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: NAMESPACE.example.com}, spec: {attachRequired: true}}`,
			`{apiVersion: storage.k8s.io/v1, kind: VolumeAttributesClass, metadata: {name: NAMESPACE}, driverName: NAMESPACE.example.com, parameters: {iops: "9"}}`,
			`{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: NAMESPACE}, spec: {attacher: NAMESPACE.example.com, nodeName: lab-n1, source: {persistentVolumeName: NAMESPACE}}}`,
			`{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshotClass, metadata: {name: NAMESPACE}, driver: NAMESPACE.example.com, deletionPolicy: Delete}`,
			`{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshotContent, metadata: {name: NAMESPACE}, spec: {driver: NAMESPACE.example.com}}`,
			`{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshot, metadata: {name: photo}, spec: {volumeSnapshotClassName: NAMESPACE, source: {persistentVolumeClaimName: data}}}`),
		then: []string{
			"at the end: delete volumesnapshotclass,volumesnapshotcontent,volumeattachment,storageclass,volumeattributesclass,pv NAMESPACE --wait=false",
			"at the end: delete csidriver NAMESPACE.example.com",
			`patch volumesnapshot/photo --subresource=status --type=merge -p {"status":{"boundVolumeSnapshotContentName":"NAMESPACE"}}`,
		},
		asks: []ask{
			{"pv/NAMESPACE", []string{"volume-claimref PersistentVolumeClaim/data", "volume-class StorageClass/NAMESPACE", "volume-driver CSIDriver/NAMESPACE.example.com", "attachment-volume VolumeAttachment/NAMESPACE"}},
			{"volumeattachment/NAMESPACE", []string{"attachment-volume PersistentVolume/NAMESPACE", "attachment-node Node/lab-n1"}},
			{"pvc/data", []string{"claim-volume PersistentVolume/NAMESPACE", "claim-class StorageClass/NAMESPACE", "snapshot-claim VolumeSnapshot/photo"}},
			{"pvc/copy", []string{"claim-source VolumeSnapshot/photo"}},
			{"pvc/fast", []string{"claim-attributes VolumeAttributesClass/NAMESPACE"}},
			{"volumesnapshot/photo", []string{"snapshot-claim PersistentVolumeClaim/data", "snapshot-content VolumeSnapshotContent/NAMESPACE", "snapshot-class VolumeSnapshotClass/NAMESPACE"}},
			{"node/lab-n1", []string{"attachment-node VolumeAttachment/NAMESPACE"}},
			{"node/lab-n1 --relations csinode-node,lease-node", []string{"csinode-node CSINode/lab-n1", "lease-node Lease/lab-n1"}},
		},
	}}
}

func scalingScenes() []scene {
	target := `{apiVersion: apps/v1, kind: Deployment, name: web}`
	return []scene{{
		name: "scaling",
		manifests: Documents(Deployment("web", asleep),
			`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: hpa}, spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: `+target+`, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}`,
			`{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: vpa}, spec: {targetRef: `+target+`}}`,
			`{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: keda}, spec: {scaleTargetRef: {name: web}}}`,
			`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: budget}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}}`),
		asks: []ask{
			{"deployment/web", []string{"hpa-target HorizontalPodAutoscaler/hpa", "vpa-target VerticalPodAutoscaler/vpa", "keda-target ScaledObject/keda", "pdb-pod PodDisruptionBudget/budget"}},
			{"hpa/hpa", []string{"hpa-target Deployment/web"}},
			{"scaledobject/keda", []string{"keda-target Deployment/web"}},
			{"pdb/budget", []string{"pdb-pod Deployment/web"}},
		},
	}}
}

func rightsScenes() []scene {
	return []scene{{
		name: "rights",
		manifests: Documents(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: []}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: readers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: robot}]}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAMESPACE, labels: {in: NAMESPACE}}, rules: []}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAMESPACE-all}, aggregationRule: {clusterRoleSelectors: [{matchLabels: {in: NAMESPACE}}]}, rules: []}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: NAMESPACE}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAMESPACE}, subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:NAMESPACE"}]}`),
		then: []string{"at the end: delete clusterrole NAMESPACE NAMESPACE-all", "at the end: delete clusterrolebinding NAMESPACE"},
		asks: []ask{
			{"serviceaccount/robot", []string{"rolebinding-subject RoleBinding/readers", "rolebinding-subject ClusterRoleBinding/NAMESPACE", "rolebinding-role Role/reader", "rolebinding-role ClusterRole/NAMESPACE"}},
			{"role/reader", []string{"rolebinding-role RoleBinding/readers"}},
			{"clusterrole/NAMESPACE-all", []string{"clusterrole-aggregation ClusterRole/NAMESPACE"}},
		},
	}}
}

func controlScenes() []scene {
	return []scene{{
		name: "control",
		manifests: Documents(Service("hook"), Pod("leader", asleep),
			`{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: lead}, spec: {holderIdentity: leader_3bfa0c32}}`,
			`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: NAMESPACE}, webhooks: [{name: check.example.com, sideEffects: None, admissionReviewVersions: [v1], failurePolicy: Ignore,
  clientConfig: {service: {name: hook, namespace: NAMESPACE}}, namespaceSelector: {matchLabels: {no: such}}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}`,
			`{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: NAMESPACE}, webhooks: [{name: change.example.com, sideEffects: None, admissionReviewVersions: [v1], failurePolicy: Ignore,
  clientConfig: {service: {name: hook, namespace: NAMESPACE}}, namespaceSelector: {matchLabels: {no: such}}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}`,
			`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: NAMESPACE}, spec: {matchConstraints: {namespaceSelector: {matchLabels: {no: such}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}, validations: [{expression: "true"}]}}`,
			`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: NAMESPACE}, spec: {policyName: NAMESPACE, validationActions: [Deny]}}`,
			`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.NAMESPACE.example.com}, spec: {group: NAMESPACE.example.com, scope: Namespaced, names: {kind: Thing, plural: things},
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: hook, namespace: NAMESPACE}}}}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}`),
		then: []string{
			"at the end: delete crd things.NAMESPACE.example.com",
			"at the end: delete validatingwebhookconfiguration,mutatingwebhookconfiguration,validatingadmissionpolicy,validatingadmissionpolicybinding NAMESPACE",
		},
		asks: []ask{
			{"service/hook", []string{"webhook-service ValidatingWebhookConfiguration/NAMESPACE", "webhook-service MutatingWebhookConfiguration/NAMESPACE", "crd-conversion-service CustomResourceDefinition/things.NAMESPACE.example.com"}},
			{"validatingwebhookconfiguration/NAMESPACE", []string{"webhook-service Service/hook"}},
			{"crd/things.NAMESPACE.example.com", []string{"crd-conversion-service Service/hook"}},
			{"validatingadmissionpolicybinding/NAMESPACE", []string{"policybinding-policy ValidatingAdmissionPolicy/NAMESPACE"}},
			{"lease/lead", []string{"lease-holder Pod/leader"}},
			{"pod/leader", []string{"lease-holder Lease/lead"}},
		},
	}, {
		// An APIService whose Service is dead disturbs everyone's discovery, so
		// it goes as soon as it was seen.
		name:      "apiservice",
		manifests: Documents(Service("api"), `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.NAMESPACE.example.com}, spec: {group: NAMESPACE.example.com, version: v1, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service: {name: api, namespace: NAMESPACE}}}`),
		then:      []string{"at the end: delete apiservice v1.NAMESPACE.example.com"},
		asks: []ask{
			{"apiservice/v1.NAMESPACE.example.com", []string{"apiservice-service Service/api"}},
			{"service/api", []string{"apiservice-service APIService/v1.NAMESPACE.example.com"}},
		},
	}}
}

func toolScenes() []scene {
	mark := func(name, marks string) string {
		return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ` + name + `, ` + marks + `}}`
	}
	return []scene{{
		name: "tools",
		manifests: Documents(
			mark("by-helm", `labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: NAMESPACE}`),
			mark("by-argo", `annotations: {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:NAMESPACE/by-argo"}`),
			mark("by-flux", `labels: {kustomize.toolkit.fluxcd.io/name: shop, kustomize.toolkit.fluxcd.io/namespace: NAMESPACE}`),
			mark("by-release", `labels: {helm.toolkit.fluxcd.io/name: shop, helm.toolkit.fluxcd.io/namespace: NAMESPACE}`),
			`{apiVersion: v1, kind: Secret, type: helm.sh/release.v1, metadata: {name: sh.helm.release.v1.shop.v1, labels: {owner: helm, name: shop, version: "1", status: deployed}}}`,
			`{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: shop}}`,
			`{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: shop}}`,
			`{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: shop}}`,
			secret("login"), configMap("schema"), Pod("web", asleep),
			`{apiVersion: shop.example.com/v1, kind: Database, metadata: {name: orders}, spec: {secretName: login, schemaRef: {apiVersion: v1, kind: ConfigMap, name: schema}}}`),
		asks: []ask{
			{"configmap/by-helm --relations all", []string{"helm-release Secret/sh.helm.release.v1.shop.v1"}},
			{"configmap/by-argo --relations all", []string{"argocd-application Application/shop"}},
			{"configmap/by-flux --relations all", []string{"flux-kustomization Kustomization/shop"}},
			{"configmap/by-release --relations all", []string{"flux-helmrelease HelmRelease/shop"}},
			{"pod/web --relations all --all", []string{"event Event/web.*"}},
			{"database/orders", []string{"custom-secret Secret/login", "custom-reference ConfigMap/schema"}},
			{"crd/databases.shop.example.com", []string{"crd-instance Database/orders"}},
		},
	}}
}
