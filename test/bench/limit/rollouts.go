package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// The load of guard-rollout: Deployments with a Service each. Their pods stand
// on the nodes without a kubelet; standing in for one, this program makes them
// ready and lets them end, so that the real controllers roll them.
const (
	rolloutsNamespace = "bench-rollouts"
	rollouts          = 50
)

func loadRollouts(ctx context.Context, client kubernetes.Interface, pods int) error {
	if err := places(ctx, client, pods/podsPerService); err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: rolloutsNamespace, Labels: map[string]string{endpointsLabel: "true"}}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); unlessExists(err) != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() { kept <- keepRollouts(ctx, client) }()
	defer func() { stop(); <-kept }()
	for i := range rollouts {
		if _, err := client.AppsV1().Deployments(rolloutsNamespace).Create(ctx, deploymentOf(i, pods/rollouts), metav1.CreateOptions{}); unlessExists(err) != nil {
			return err
		}
		svc := serviceOf(i)
		if _, err := client.CoreV1().Services(rolloutsNamespace).Create(ctx, svc, metav1.CreateOptions{}); unlessExists(err) != nil {
			return err
		}
	}
	return rolledOut(ctx, client)
}

func deploymentOf(i, replicas int) *appsv1.Deployment {
	pod := podOf(i * podsPerService)
	n, none, quarter := int32(replicas), intstr.FromInt32(0), intstr.FromString("25%")
	selector := map[string]string{"app.kubernetes.io/name": titleOf(i), "app.kubernetes.io/part-of": "bench"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: titleOf(i), Labels: map[string]string{"leadsman.dev/bench": "rollout"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: selector},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &quarter, MaxUnavailable: &none}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: selector}, Spec: pod.Spec},
		},
	}
}

// rolledOut waits until every Deployment is complete.
func rolledOut(ctx context.Context, client kubernetes.Interface) error {
	return wait.PollUntilContextTimeout(ctx, time.Second, 20*time.Minute, true, func(ctx context.Context) (bool, error) {
		all, err := client.AppsV1().Deployments(rolloutsNamespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, nil
		}
		for _, d := range all.Items {
			if d.Status.ObservedGeneration < d.Generation || d.Status.AvailableReplicas < *d.Spec.Replicas || d.Status.UpdatedReplicas < *d.Spec.Replicas {
				return false, nil
			}
		}
		return true, nil
	})
}

// keepRollouts stands in for the kubelets until ctx ends.
func keepRollouts(ctx context.Context, client kubernetes.Interface) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return keepNodes(ctx, client) })
	group.Go(func() error {
		for ctx.Err() == nil {
			if err := tend(ctx, client); err != nil && ctx.Err() == nil {
				time.Sleep(time.Second) // the namespace is not there yet, or the server is busy
			}
		}
		return nil
	})
	return group.Wait()
}

// tend makes pods ready and lets them end, for as long as one watch lasts.
func tend(ctx context.Context, client kubernetes.Interface) error {
	pods := client.CoreV1().Pods(rolloutsNamespace)
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	work, wctx := errgroup.WithContext(ctx)
	work.SetLimit(requestsAtOnce)
	serve := func(pod *corev1.Pod) {
		switch {
		case pod.DeletionTimestamp != nil:
			work.Go(func() error {
				now := int64(0)
				_ = pods.Delete(wctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
				return nil
			})
		case pod.Status.PodIP == "":
			work.Go(func() error {
				_, _ = pods.UpdateStatus(wctx, alive(pod), metav1.UpdateOptions{})
				return nil
			})
		}
	}
	for i := range list.Items {
		serve(&list.Items[i])
	}
	w, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return errors.Join(err, work.Wait())
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && e.Type != watch.Deleted {
			serve(pod)
		}
	}
	return work.Wait()
}

// alive is the pod as a kubelet would report it.
func alive(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	h := fnv.New32a()
	h.Write([]byte(pod.UID))
	n := h.Sum32()
	ip, now, started := fmt.Sprintf("10.%d.%d.%d", 128+n>>16%100, n>>8%250, n%250+1), metav1.Now(), true
	pod.Status.Phase, pod.Status.PodIP, pod.Status.PodIPs, pod.Status.StartTime = corev1.PodRunning, ip, []corev1.PodIP{{IP: ip}}, &now
	pod.Status.HostIP, pod.Status.HostIPs = "192.0.2.1", []corev1.HostIP{{IP: "192.0.2.1"}}
	pod.Status.Conditions = nil
	for _, t := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "web", Image: "nginx:1.25", ImageID: "docker.io/library/nginx@sha256:a484819eb60211f5299034ac80f6a681b06f89e65866ce91f356ed7c72af059c",
		ContainerID: fmt.Sprintf("containerd://%064d", n), Ready: true, Started: &started,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
	}}
	return pod
}

// roll starts a rollout of every Deployment at once, a moment after the watch
// that is measured has begun.
func roll(ctx context.Context, client kubernetes.Interface) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(3 * time.Second):
	}
	patch := []byte(fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().UTC().Format(time.RFC3339)))
	for i := range rollouts {
		if _, err := client.AppsV1().Deployments(rolloutsNamespace).Patch(ctx, titleOf(i), types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return nil
}
