package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// The load of a whole cluster: Services with ten pods each. The pods stand on
// nodes that have no kubelet, so nothing runs; their status is written here, and
// the EndpointSlice controller makes of it what it makes of any pod's.
const (
	podsPerService     = 10
	servicesPerPlace   = 50
	endpointsLabel     = "leadsman.dev/bench-endpoints"
	podsPerNode        = 2500
	requestsAtOnce     = 32
	endpointsNamespace = "bench-endpoints-%02d"
)

// loadEndpoints makes what is still lacking of the load, so that a small one
// can be measured before it grows. It returns when the slices hold every pod.
func loadEndpoints(ctx context.Context, client kubernetes.Interface, pods int) error {
	services := max(1, pods/podsPerService)
	if err := places(ctx, client, services); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() { kept <- keepNodes(ctx, client) }()
	defer func() { stop(); <-kept }()
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range services * podsPerService {
		group.Go(func() error { return standIn(gctx, client, i) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	group, gctx = errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range services {
		group.Go(func() error {
			_, err := client.CoreV1().Services(placeOf(i)).Create(gctx, serviceOf(i), metav1.CreateOptions{})
			return unlessExists(err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := fillCluster(ctx, client, services); err != nil {
		return err
	}
	return slicesSettled(ctx, client, services*podsPerService)
}

func unlessExists(err error) error {
	if err != nil && !exists(err) {
		return err
	}
	return nil
}

func placeOf(service int) string { return fmt.Sprintf(endpointsNamespace, service/servicesPerPlace) }
func titleOf(service int) string { return fmt.Sprintf("web-%d", service) }
func nodeOf(pod int) string      { return fmt.Sprintf("bench-node-%02d", pod/podsPerNode) }

// places are the namespaces and the nodes. The nodes take no other pods.
func places(ctx context.Context, client kubernetes.Interface, services int) error {
	marked := map[string]string{endpointsLabel: "true"}
	for i := 0; i < services; i += servicesPerPlace {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: placeOf(i), Labels: marked}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); unlessExists(err) != nil {
			return err
		}
	}
	for i := 0; i < services*podsPerService; i += podsPerNode {
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: nodeOf(i), Labels: map[string]string{endpointsLabel: "true", corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i/podsPerNode%3)}},
			Spec:       corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{{Key: "leadsman.dev/no-kubelet", Effect: corev1.TaintEffectNoExecute}}}, // DaemonSets ignore unschedulable
		}
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); unlessExists(err) != nil {
			return err
		}
		ready := []byte(`{"status":{"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady"}]}}`)
		if _, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, ready, metav1.PatchOptions{}, "status"); err != nil {
			return err
		}
	}
	return nil
}

// heartbeat is often enough for every --node-monitor-grace-period in use.
const heartbeat = 4 * time.Second

// keepNodes renews the nodes' Leases until ctx ends: the pods of a node that is
// silent are marked as not ready (kubernetes pkg/controller/nodelifecycle).
func keepNodes(ctx context.Context, client kubernetes.Interface) error {
	leases := client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	for {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: endpointsLabel})
		if err != nil && ctx.Err() == nil {
			return err
		}
		for i := range nodes.Items {
			now, holder := metav1.NewMicroTime(time.Now()), nodes.Items[i].Name
			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: holder, Labels: map[string]string{endpointsLabel: "true"}}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}}
			renewal := []byte(`{"spec":{"renewTime":"` + now.UTC().Format(metav1.RFC3339Micro) + `"}}`)
			if _, err = leases.Patch(ctx, holder, types.MergePatchType, renewal, metav1.PatchOptions{}); apierrors.IsNotFound(err) {
				_, err = leases.Create(ctx, lease, metav1.CreateOptions{})
			}
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(heartbeat):
		}
	}
}

// standIn is one pod, with the status that a kubelet would have written.
func standIn(ctx context.Context, client kubernetes.Interface, i int) error {
	pods := client.CoreV1().Pods(placeOf(i / podsPerService))
	pod, err := pods.Create(ctx, podOf(i), metav1.CreateOptions{})
	if err != nil {
		return unlessExists(err)
	}
	now := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	ip := fmt.Sprintf("10.%d.%d.%d", 128+i/62500, i/250%250, i%250+1)
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: "192.0.2.1", HostIPs: []corev1.HostIP{{IP: "192.0.2.1"}},
		PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, StartTime: &now, QOSClass: pod.Status.QOSClass,
	}
	for _, t := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	started := true
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "web", Image: "nginx:1.25", ImageID: "docker.io/library/nginx@sha256:a484819eb60211f5299034ac80f6a681b06f89e65866ce91f356ed7c72af059c",
		ContainerID: fmt.Sprintf("containerd://%064d", i), Ready: true, Started: &started,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
	}}
	_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}

// podOf is a pod as Deployments make them, but for the owner. It tolerates that
// its node never was ready.
func podOf(i int) *corev1.Pod {
	name := titleOf(i / podsPerService)
	labels := map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bench", "pod-template-hash": "5d8f4c9b7"}
	var env []corev1.EnvVar
	for _, n := range []string{"MODE", "REGION", "LOG_LEVEL", "DATABASE_HOST", "CACHE_HOST", "QUEUE_URL"} {
		env = append(env, corev1.EnvVar{Name: n, Value: "bench-" + name})
	}
	quantities := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1m"), corev1.ResourceMemory: resource.MustParse("1Mi")}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromString("http")}}}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-5d8f4c9b7-%05d", name, i), Labels: labels, Annotations: map[string]string{"checksum/config": fmt.Sprintf("%064d", i/podsPerService)}},
		Spec: corev1.PodSpec{
			NodeName: nodeOf(i), Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Containers: []corev1.Container{{
				Name: "web", Image: "nginx:1.25", Env: env, ReadinessProbe: probe, LivenessProbe: probe,
				Ports:        []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
				Resources:    corev1.ResourceRequirements{Requests: quantities, Limits: quantities},
				VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/web"}},
			}},
			Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}}}},
		},
	}
}

func serviceOf(i int) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: titleOf(i)},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app.kubernetes.io/name": titleOf(i), "app.kubernetes.io/part-of": "bench"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}},
		},
	}
}

// slicesSettled waits until the slices of the load hold every pod as ready.
func slicesSettled(ctx context.Context, client kubernetes.Interface, pods int) error {
	have := 0
	err := wait.PollUntilContextTimeout(ctx, 2*time.Second, 20*time.Minute, true, func(ctx context.Context) (bool, error) {
		have = 0
		for options := (metav1.ListOptions{Limit: 500, LabelSelector: discoveryv1.LabelManagedBy}); ; {
			list, err := client.DiscoveryV1().EndpointSlices("").List(ctx, options)
			if err != nil {
				return false, err
			}
			for i := range list.Items {
				have += readyOf(&list.Items[i])
			}
			if options.Continue = list.Continue; options.Continue == "" {
				return have >= pods, nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("the slices hold %d of %d pods: %w", have, pods, err)
	}
	return nil
}

func readyOf(s *discoveryv1.EndpointSlice) int {
	n := 0
	for _, e := range s.Endpoints {
		if e.Conditions.Ready != nil && *e.Conditions.Ready && e.NodeName != nil && len(*e.NodeName) > 10 && (*e.NodeName)[:10] == "bench-node" {
			n++
		}
	}
	return n
}

// unloadEndpoints takes the load away, and waits until it is gone: no kubelet
// would confirm that the pods have ended. What a busy server gives up on is
// tried again.
func unloadEndpoints(ctx context.Context, client kubernetes.Interface) error {
	ours := metav1.ListOptions{LabelSelector: endpointsLabel}
	err := wait.PollUntilContextTimeout(ctx, 2*time.Second, 20*time.Minute, true, func(ctx context.Context) (bool, error) {
		namespaces, err := client.CoreV1().Namespaces().List(ctx, ours)
		if err != nil {
			return false, nil
		}
		for _, ns := range namespaces.Items {
			// The namespace first: its controllers make no pods any more.
			now := int64(0)
			if ns.DeletionTimestamp == nil {
				_ = client.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{})
			}
			_ = client.CoreV1().Pods(ns.Name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
		}
		return len(namespaces.Items) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("namespaces labelled %s remain: %w", endpointsLabel, err)
	}
	return errors.Join(
		client.CoreV1().RESTClient().Delete().AbsPath(crdPath).Param("labelSelector", endpointsLabel).Do(ctx).Error(),
		client.CoreV1().Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, ours),
		client.CoordinationV1().Leases(corev1.NamespaceNodeLease).DeleteCollection(ctx, metav1.DeleteOptions{}, ours))
}
