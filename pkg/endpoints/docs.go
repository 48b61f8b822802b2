package endpoints

import "github.com/leadsman-dev/leadsman/pkg/finding"

const (
	membership = "k8s.io/endpointslice, Reconcile"
	findPort   = "k8s.io/endpointslice, FindPort"
	proxyRules = "k8s.io/kubernetes pkg/proxy/topology.go"
)

func selectionDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	return []finding.Doc{
		page("selector-no-match", e, "No pod carries the selector", "The Service has no endpoints: connections are refused.", "No living pod of the namespace carries every pair, and nothing comes close enough to be the cause.", "Label the pods so, or select what they carry.", membership),
		page("scaled-to-zero", i, "The workload is scaled to zero", "There is nothing to reach, on purpose.", "A workload's pod template carries the selector and its replicas are 0. The autoscaler is named if one decides it.", "Scale it up.", membership),
		page("label-case", e, "The label differs in upper and lower case", "Labels are compared letter by letter, so the selector chooses nothing.", "Keys and values are equal only when case is folded.", "Select what the pods carry.", membership),
		page("label-typo", e, "The label is spelt differently", "The selector chooses nothing, because of a letter or two.", "The same key with a value at an edit distance of two at most (one in a short word), or the same value under a key so close. Words that differ in digits are different names.", "Select what the pods carry.", membership),
		page("label-partial", e, "The pods lack one pair of the selector", "A pod must carry every pair; these carry all but one.", "Living pods carry all pairs but one; the missing one is named, and whether it is on the workload instead of on its template.", "Give the pod template the label, or select without it.", membership),
		page("label-key-alias", e, "The same value stands under another key", "The selector chooses nothing: app and app.kubernetes.io/name are two keys.", "Pods carry the value under another of app, app.kubernetes.io/name, k8s-app and run.", "Select by the key that the pods carry.", membership),
		page("label-on-workload-only", e, "The labels are on the workload, not on its pods", "Only the labels of the pod template reach the pods.", "A workload's own labels carry the whole selector, its pod template's do not.", "Add the labels to spec.template.metadata.labels.", membership),
		page("wrong-namespace", e, "The pods are in another namespace", "A Service selects pods of its own namespace only.", "No pod of this namespace carries the selector, pods of exactly one other do, no Service there selects them, and two things at least tell that they are meant: they have a port of the Service, their workload has its name, the selector has several labels. One label such as app=web is what many call theirs: selector-no-match then mentions those pods as a possibility, as it does where several namespaces have some.", "Move one to the other.", membership),
		page("rollout-label-drift", w, "The newest pods do not carry the selector", "The Service empties as the rollout goes on: the pods of the old revision match, those of the new one do not. An error once none is left.", "The selected pods' workload has a template without the selector's labels; or an old ReplicaSet's template matches and the newest does not.", "Give the template the labels back.", membership),
		page("pinned-revision", e, "The selector is pinned to one revision", "The selector holds a pod-template-hash, a revision or a version that no pod carries any more.", "Without that pair, or by its key alone, it would match.", "Select labels that stay the same.", membership),
		page("only-completed-pods", i, "Everything that it selects has finished", "The pods ran to their end, as those of a Job do.", "Every selected pod has Succeeded.", "Nothing, if that is meant.", membership),
		page("endpoints-not-mirrored", e, "The Endpoints object is not mirrored into slices", "kube-proxy reads EndpointSlices only; what stands in this Endpoints object reaches nobody.", "A Service without a selector has Endpoints with addresses and no slice, and they carry the label endpointslice.kubernetes.io/skip-mirror=true, or hold a leader election; or Endpoints that no Service has the name of are called nearly like it.", "Take the label off, or write an EndpointSlice.", "k8s.io/kubernetes pkg/controller/endpointslicemirroring, skipMirror"),
		page("selectorless-empty", w, "Without a selector, and without endpoints", "Nobody chooses pods for it, and nobody has written endpoints.", "No selector, no slice, not ExternalName, and no controller owns it.", "Add a selector, or write an EndpointSlice.", "core/v1, ServiceSpec.Selector"),
	}
}

func ownershipDocs() []finding.Doc {
	e, w := finding.Error, finding.Warning
	return []finding.Doc{
		page("stale-after-selector-removed", e, "The slice of a removed selector remains", "Traffic still goes to the pods that the selector once chose, and never follows them again.", "The Service has no selector, and a slice of the EndpointSlice controller is left.", "Delete the slice, and the Endpoints object that was left with it.", "k8s.io/kubernetes pkg/controller/endpointslice, syncService"),
		page("stale-mirror", e, "A mirrored slice remains beside the selector's", "Part of the connections go to addresses that were once written by hand: failures come and go.", "The Service has a selector, and a slice of the mirroring controller is left.", "Delete the mirrored slice.", "k8s.io/kubernetes pkg/controller/endpointslicemirroring"),
		page("manual-ip-foreign", e, "A hand-made address belongs to another application", "Pod addresses are given to new pods: this one now is somebody else's.", "A hand-made endpoint has the address of a pod that shares no label and no name with the Service. Node addresses and addresses outside are none of this.", "Use a selector.", "discovery/v1, EndpointSlice"),
		page("manual-ip-nobody", w, "A hand-made address is no pod's", "Connections time out.", "It lies in a node's pod network, and neither a pod nor a node has it; all pods and nodes were seen. An error where it is the cluster address of another Service, to which kube-proxy does not send on.", "Correct or delete the slice.", "discovery/v1, EndpointSlice"),
		page("slice-orphan", w, "The slice's Service is gone", "It serves nobody, or adds addresses of an earlier Service of that name.", "Its Service does not exist and it has no owner that would take it along; or its owner is an earlier Service, for more than a minute.", "Delete it.", "discovery/v1, LabelServiceName"),
		page("slice-label-typo", e, "The slice names a Service that does not exist", "kube-proxy finds slices by the label kubernetes.io/service-name; a slice of another name is nobody's, and the Service has no endpoints.", "A Service without a selector has no slice, and a hand-made slice of its namespace names one that does not exist and is spelt nearly so.", "Correct the label.", "k8s.io/kubernetes pkg/proxy/config"),
		page("slice-unlabelled", e, "The slice lacks the Service's name", "kube-proxy finds slices by the label kubernetes.io/service-name; without it the slice is ignored.", "A slice that the Service owns, or that bears its name and is the only one, lacks the label.", "Add the label.", "k8s.io/kubernetes pkg/proxy/config"),
		page("slice-port-name", e, "The slice lacks the Service's port", "kube-proxy joins slice and Service by port name and protocol; a slice port of another name or protocol is ignored, and so is a slice without ports.", "A hand-made slice with endpoints has no port of the name and protocol of one of the Service's.", "Give the slice a port of the Service port's name and protocol; where it mirrors Endpoints, give it to those.", "k8s.io/kubernetes pkg/proxy/endpointslicecache.go"),
	}
}

func driftDocs() []finding.Doc {
	e := finding.Error
	const resync, told = "Touch the Service so that it is compared again; then delete the slice.", " Not within half a minute of a change of the Service or its pods."
	return []finding.Doc{
		page("slice-stale", e, "The slice is out of date", "Traffic goes by what the slice says, not by the pods.", "What the controller should have written differs from what is there, on this Service."+told, resync, membership),
		page("ip-mismatch", e, "The slice has an address that the pod has not", "Connections go elsewhere, or nowhere.", "The endpoint names a pod whose podIPs do not hold the address."+told, resync, membership),
		page("uid-mismatch", e, "The slice means an earlier pod of that name", "A pod was deleted and made again under its name; the slice still has the old one.", "The targetRef's UID is not that of the pod of that name."+told, resync, membership),
		page("targetref-gone", e, "The slice names a pod that does not exist", "Connections time out, or reach whoever has the address now.", "The pod of the targetRef does not exist; pods were listed."+told, resync, membership),
		page("terminal-pod-ip", e, "The slice lists a pod that has ended", "The address may already be another pod's.", "A pod that Failed or Succeeded is listed as ready or serving. Listed as neither it is normal: a mere change of phase wakes no slice controller.", resync, "k8s.io/endpointslice/util, ShouldPodBeInEndpoints"),
		page("same-endpoint-two-slices", finding.Info, "A pod is in two slices", "Legal while ports are renamed; kube-proxy counts it once.", "The same UID on the same port in two slices.", "Nothing.", "discovery/v1, EndpointSlice"),
	}
}

func addressDocs() []finding.Doc {
	e := finding.Error
	return []finding.Doc{
		page("no-pod-ip", e, "The pods have no address yet", "A pod without an address cannot be an endpoint.", "Selected pods have no podIPs; the reason is the pod's own (unscheduled, image, volume, network). Information while it starts; a warning if others serve.", "What the pod's own failure calls for.", "k8s.io/endpointslice/util, ShouldPodBeInEndpoints"),
		page("ip-family-mismatch", e, "The pods have no address of the Service's family", "The slice of that family stays empty.", "A family of spec.ipFamilies that no selected pod has, a hand-made slice of another family, or one that holds names. A warning if another family or slice serves.", "Choose the family that the pods have.", "k8s.io/endpointslice, getAddressTypesForService"),
		page("duplicate-ip", e, "Two pods report one address", "Connections reach one or the other.", "Two living pods that do not use their node's network share an address.", "Delete one; if it comes back, look at the network plugin's address management.", "core/v1, PodStatus.PodIPs"),
		page("node-missing", e, "The pod's node does not exist", "The controller leaves the pod out of the slices, unless unready addresses are published.", "The node is not among the nodes, or the controller's event says so.", "Delete the pod.", "k8s.io/endpointslice, reconcileByAddressType"),
	}
}

func namedPortDocs() []finding.Doc {
	e, w := finding.Error, finding.Warning
	const means = "The slice then has ready endpoints without ports: it looks healthy and serves nothing."
	return []finding.Doc{
		page("named-port-missing", e, "The named targetPort resolves on no pod", means, "No container of any pod declares a port of that name, nor one close to it.", "Name a port that the pods declare, or give the number.", findPort),
		page("named-port-typo", e, "The named targetPort is spelt differently", means, "No pod declares the name, and a close one is there.", "Take the pods' name.", findPort),
		page("named-port-partial", w, "The named targetPort resolves on some pods only", "The others get no traffic on this port. Different numbers in different pods are legal.", "Some living pods declare the name, others do not.", "Give the port its name in all pods.", findPort),
		page("named-port-protocol", e, "The named port has another protocol", means, "A port of that name is declared, under another protocol.", "Make the protocols equal.", findPort),
		page("named-port-duplicate", w, "Two containers share the port's name", "Only the first is used.", "Two containers of a pod declare the name with different numbers.", "Give the number.", findPort),
		page("named-port-init", e, "The named port is an init container's", means, "The name stands on an init container that ends before the pod serves. Restartable ones, sidecars, do count.", "Name a port of a container that runs.", findPort),
	}
}

func numericPortDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	return []finding.Doc{
		page("port-undeclared", i, "The pods do not declare the port", "Legal: containerPort is documentation. A warning if a declared port that nothing leads to fits better.", "A numeric targetPort that no pod declares, though they declare others. Pods that declare none say nothing.", "Send to the declared port, or leave it.", "core/v1, Container.Ports"),
		page("ports-swapped", e, "port and targetPort are swapped", "Traffic goes to a port on which nothing is said to listen.", "The Service's port is one that the pods declare, its targetPort is not.", "Set targetPort to the pods' port.", "core/v1, ServicePort.TargetPort"),
		page("protocol-mismatch", w, "The port is declared with another protocol", "A TCP Service port does not reach a UDP socket.", "The number is declared under the other protocol only.", "Make the protocols equal.", "core/v1, ContainerPort.Protocol"),
		page("headless-remap", w, "A headless Service does not translate ports", "DNS gives clients the pods' addresses; they dial port, and nobody turns it into targetPort.", "clusterIP None, and port differs from what targetPort leads to.", "Make port what the pods serve.", "core/v1, ServiceSpec.ClusterIP"),
		page("ports-merged-by-patch", w, "A patch has merged two ports", "kubectl apply tells ports apart by number only, so one of two protocols of a number was lost.", "The last applied configuration has a port and protocol that the Service lacks, and another protocol of that number is there.", "Apply it with kubectl apply --server-side.", "core/v1, ServiceSpec.Ports (patchMergeKey)"),
	}
}

func readinessDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	const rule = "k8s.io/endpointslice, podToEndpoint"
	return []finding.Doc{
		page("none-ready", e, "No endpoint is ready", "There are pods, and none gets traffic: connections are refused.", "Every living pod is unready; the pods' own reason is given. Information while they start. More special reasons have pages of their own.", "What the pods' failure calls for.", rule),
		page("readiness-gate", e, "A readiness gate holds the pods back", "The containers are ready; a condition that another controller must set is not.", "ContainersReady is True, Ready is False, and a condition of spec.readinessGates is not True.", "See to the controller that sets it.", rule),
		page("probe-port-wrong", e, "A probe asks elsewhere than the application listens", "The application may be well, and is never called ready.", "The readiness probe of an unready, running container, or a startup probe that has not passed for long, asks a port that the pod does not declare, though it declares others; or it names a host, which the kubelet asks from the node: localhost is the node there.", "Let the probe ask the application's port, and name no host.", rule),
		page("sidecar-not-ready", e, "Only a container beside is not ready", "A pod is ready when all its containers are: one that does not serve these ports holds back the one that does.", "The one unready container declares none of the Service's ports, and a ready one does.", "Mend the sidecar, or relax its probe.", rule),
		page("partial-ready", w, "Some endpoints are not ready", "The others carry the load.", "Some living pods are ready, some are not. Information while those start.", "What the pods' failure calls for.", rule),
		page("terminating-only", w, "Only pods that shut down can serve", "kube-proxy falls back to endpoints that are serving and terminating; when they end, nothing is left.", "No endpoint is ready, and some are serving and terminating.", "See why no new pod is ready.", proxyRules),
		page("unready-published", w, "Unready pods get traffic", "publishNotReadyAddresses makes unready endpoints count as ready.", "A Service with an address of its own publishes, and a pod is unready. Headless Services use it for peers to find each other: of those it is said where a pod has failed for certain.", "Do not publish.", rule),
		page("node-notready", e, "The pods' node is not ready", "The node's pods count as unready.", "No endpoint is ready, and the node of those pods is not Ready.", "See to the node.", "k8s.io/kubernetes pkg/controller/nodelifecycle"),
		page("no-readiness-probe", i, "No readiness probe", "A pod gets traffic as soon as its process starts, before the application can serve.", "The container that serves the port has no readinessProbe. Said of a single Service only.", "Add one.", "core/v1, Container.ReadinessProbe"),
	}
}

func routingDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	return []finding.Doc{
		page("etp-local-gap", w, "Nodes without an endpoint drop traffic from outside", "externalTrafficPolicy Local sends nothing to other nodes. Behind a load balancer with a health check it is harmless.", "The policy is Local, and a node has no endpoint that is ready, nor one that terminates and serves. An error for the node that --from names.", "Policy Cluster, or pods on every node.", proxyRules),
		page("itp-local-gap", e, "Clients on nodes without an endpoint time out", "internalTrafficPolicy Local serves clients from their own node only: elsewhere connections time out. With no endpoint anywhere they would be refused.", "The policy is Local, there are endpoints, and a node that holds or takes clients has none.", "Policy Cluster, or a DaemonSet.", proxyRules),
		page("hints-ignored", i, "Topology hints are ignored", "kube-proxy follows hints only where every ready endpoint has one.", "Some ready endpoints have hints, others have none.", "Nothing, if it passes.", proxyRules),
		page("zone-skew", w, "One endpoint serves a whole zone", "All clients of that zone go to one pod.", "Hints give a zone one endpoint, and another three or more.", "Spread the pods.", proxyRules),
		page("proxy-name-label", w, "kube-proxy is told to skip it", "The label hands the Service to another proxy.", "The label service.kubernetes.io/service-proxy-name is set.", "Remove it, or see to that proxy.", "k8s.io/kubernetes pkg/proxy/apis, LabelServiceProxyName"),
	}
}

func policyDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	const rule = "networking/v1, NetworkPolicySpec"
	return []finding.Doc{
		page("netpol-denies", w, "No policy admits the port", "The pods are isolated and no rule admits the targetPort: connections time out. An error once a probe from a client confirms it.", "A NetworkPolicy selects the pods, and no rule of any admits the port from anybody.", "Admit the port.", rule),
		page("netpol-admits-nobody", w, "The policy admits only clients that are not there", "The pods are isolated, and all whom a rule admits are pods or namespaces with labels that nothing has: connections time out. Clients that come later are admitted when they come.", "The rules that admit the targetPort name peers by labels; no pod carries them, running or ended, no template of a Deployment, or no namespace; all of them were seen. A rule for addresses (ipBlock) is never counted as nobody.", "Correct the labels in the rule, or on the clients.", rule),
		page("netpol-uses-service-port", e, "The policy admits the Service's port, not the pods'", "Policies see connections after translation: the pods' port counts.", "No rule admits the targetPort, and one admits the Service's port.", "Write the pods' port into the rule.", rule),
		page("netpol-source", w, "The client may not connect", "The port is admitted, not from this client; or the client's own egress is not.", "Asked with --from: no peer of a rule that admits the port matches the client.", "Admit the client.", rule),
		page("netpol-unknown", i, "Whether policies admit it is unknown", "The API leaves the matter to the network plugin: nothing is guessed.", "Pods on the node's network, a named port that the pod does not declare, ipBlocks over pods, policies of the plugin itself.", "Probe it from a client.", rule),
	}
}

func ingressDocs() []finding.Doc {
	e := finding.Error
	return []finding.Doc{
		page("ingress-service-missing", e, "The Ingress leads to a Service that does not exist", "Requests are answered with 503 or 404.", "A backend, or the default one, names a Service that is not in the Ingress's namespace.", "Correct the name, or create the Service.", "networking/v1, IngressServiceBackend"),
		page("ingress-port-missing", e, "The Ingress names a port that the Service has not", "Requests are answered with 503.", "The backend's port is no port of the Service: often the pods' port, or its name.", "Name the Service's port.", "networking/v1, ServiceBackendPort"),
		page("ingress-class-missing", e, "No controller serves the Ingress", "Nothing happens with it.", "Its class does not exist; or it names none, has no legacy annotation, and no class is the default.", "Name a class that is there.", "networking/v1, IngressSpec.IngressClassName"),
	}
}

func routeDocs() []finding.Doc {
	e := finding.Error
	return []finding.Doc{
		page("route-not-attached", e, "No Gateway serves the route", "Requests never come to it: the Gateway answers with 404, or nobody answers.", "Every parentRef leads to a Gateway or listener that does not exist, to listeners that take routes of their own namespace or of other host names only, to a Gateway whose class does not exist; or the controller says that it does not take the route or does not serve the Gateway. A warning if another parentRef is well, or none is written. Parents of other kinds are left to their controllers.", "Name a Gateway that takes the route, or let that one take it.", "gateway.networking.k8s.io/v1, ParentReference and AllowedRoutes"),
		page("route-weight-zero", e, "The route gives its backends no weight", "Requests are answered with 500.", "All backends of a rule have weight 0, and no filter redirects. Information where others of the rule have weight, as before a canary.", "Give one a weight.", "gateway.networking.k8s.io/v1, BackendRef.Weight"),
		page("route-backend-missing", e, "The route leads to a Service that does not exist", "Requests are answered with 500.", "A backendRef names a Service that does not exist.", "Correct the name, or create the Service.", "gateway.networking.k8s.io/v1, BackendRef"),
		page("route-port-missing", e, "The route names a port that the Service has not", "Requests are answered with 500.", "A backendRef's port is no port of the Service.", "Name the Service's port.", "gateway.networking.k8s.io/v1, BackendRef"),
		page("route-no-referencegrant", e, "The route may not lead into that namespace", "Requests are answered with 500.", "A backendRef into another namespace, and no ReferenceGrant there allows it; or the controller says RefNotPermitted.", "Create a ReferenceGrant in the Service's namespace that names the route's kind and namespace.", "gateway.networking.k8s.io/v1beta1, ReferenceGrant"),
	}
}

func lifetimeDocs() []finding.Doc {
	return []finding.Doc{
		page("service-deleted", finding.Warning, "The Service is deleted, and held by a finalizer", "It works until the finalizer is taken away, and is gone then. Nothing undoes a deletion.", "metadata.deletionTimestamp is set and finalizers are left. Information for as long as a controller may need; an error where it has no endpoint that is ready, as after a deletion in the foreground, which takes its slices away.", "See to the controller that must take it away, or take it away; create the Service anew if it is wanted.", "meta/v1, ObjectMeta.Finalizers"),
	}
}

func liveDocs() []finding.Doc {
	e, w, i := finding.Error, finding.Warning, finding.Info
	const rule = "k8s.io/kubelet port-forward dials localhost in the pod; pods/proxy dials its address"
	return []finding.Doc{
		page("path-fails", e, "A client's connection fails on the way", "The client gets no answer, although all that is stored says that it should.", "Observed from the pod of --probe-from: refused or timed out, with no policy and no other error to explain it. Through the Service's own address only, it is kube-proxy; to the pod itself, it is the route or the network plugin.", "Look at what lies between the client's node and the pod's.", rule),
		page("nothing-listening", e, "Nothing listens on the port", "Connections are refused.", "Observed: no socket of the pod listens on it, or port-forward and proxy are both refused.", "Send to the port on which it listens.", rule),
		page("listens-loopback", e, "It listens on localhost only", "Connections from outside the pod are refused.", "Observed: the sockets are bound to 127.0.0.1 or ::1, or port-forward answers and the proxy is refused.", "Bind to 0.0.0.0.", rule),
		page("listens-podip-only", i, "It listens on the pod's address only", "Traffic works; kubectl port-forward does not.", "Observed: the proxy answers and port-forward is refused.", "Nothing.", rule),
		page("plaintext-to-tls", w, "It speaks TLS on a port that is said to be plain", "Plain HTTP clients get an error.", "Observed: a plain request was answered by TLS, on a port whose name or appProtocol says http.", "Use https, or name the port so.", rule),
	}
}
