package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// What a cluster has beside pods and Services: a Deployment and a ReplicaSet
// for each Service, a ConfigMap, an event about each pod, and custom kinds. The
// pods are there first, so that the controllers adopt them instead of making
// their own.
const (
	customKinds = 100
	customGroup = "bench.leadsman.dev"
	crdPath     = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
)

func fillCluster(ctx context.Context, client kubernetes.Interface, services int) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range services {
		group.Go(func() error { return adopt(gctx, client, i) })
		group.Go(func() error {
			config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: titleOf(i)}, Data: map[string]string{"mode": "bench"}}
			_, err := client.CoreV1().ConfigMaps(placeOf(i)).Create(gctx, config, metav1.CreateOptions{})
			return unlessExists(err)
		})
	}
	for i := range services * podsPerService {
		group.Go(func() error {
			_, err := client.CoreV1().Events(placeOf(i/podsPerService)).Create(gctx, eventOf(i), metav1.CreateOptions{})
			return unlessExists(err)
		})
	}
	for i := range customKinds {
		group.Go(func() error { return customKind(gctx, client, i) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := startClient(ctx, client); err != nil {
		return err
	}
	return adopted(ctx, client, services)
}

// adopt makes the ReplicaSet of a Service's pods, then the Deployment of the
// ReplicaSet, which is the current one since the templates are equal.
func adopt(ctx context.Context, client kubernetes.Interface, i int) error {
	d := deploymentOf(i, podsPerService)
	hash := podOf(i * podsPerService).Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	labels := map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	for k, v := range d.Spec.Selector.MatchLabels {
		labels[k] = v
	}
	template := *d.Spec.Template.DeepCopy()
	template.Labels = labels
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: d.Name + "-" + hash, Labels: labels},
		Spec:       appsv1.ReplicaSetSpec{Replicas: d.Spec.Replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
	if _, err := client.AppsV1().ReplicaSets(placeOf(i)).Create(ctx, set, metav1.CreateOptions{}); unlessExists(err) != nil {
		return err
	}
	_, err := client.AppsV1().Deployments(placeOf(i)).Create(ctx, d, metav1.CreateOptions{})
	return unlessExists(err)
}

func eventOf(i int) *corev1.Event {
	pod, now := podOf(i), metav1.Now()
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: pod.Name + ".started"},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: placeOf(i / podsPerService), Name: pod.Name},
		Type:           corev1.EventTypeNormal, Reason: "Started", Message: "Container started", Count: 1,
		FirstTimestamp: now, LastTimestamp: now, Source: corev1.EventSource{Component: "kubelet", Host: nodeOf(i)},
	}
}

func customKind(ctx context.Context, client kubernetes.Interface, i int) error {
	name := fmt.Sprintf("kind%02d", i)
	body := fmt.Sprintf(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%[1]ss.%[2]s","labels":{"%[3]s":"true"}},
"spec":{"group":"%[2]s","scope":"Namespaced","names":{"kind":"%[1]s","plural":"%[1]ss","singular":"%[1]s"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`, name, customGroup, endpointsLabel)
	err := client.CoreV1().RESTClient().Post().AbsPath(crdPath).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(ctx).Error()
	return unlessExists(err)
}

// startClient is a pod that really runs, from which names are looked up.
func startClient(ctx context.Context, client kubernetes.Interface) error {
	grace := int64(0)
	pods := client.CoreV1().Pods(placeOf(0))
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "client"}, Spec: corev1.PodSpec{
		TerminationGracePeriodSeconds: &grace,
		Containers:                    []corev1.Container{{Name: "client", Image: "busybox:1.36", Command: []string{"sleep", "100000"}}},
	}}
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); unlessExists(err) != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, time.Second, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		p, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		return err == nil && p.Status.Phase == corev1.PodRunning, nil
	})
	if err != nil {
		return fmt.Errorf("pod %s/%s does not run: %w", placeOf(0), pod.Name, err)
	}
	return nil
}

// adopted waits until every Deployment has its pods.
func adopted(ctx context.Context, client kubernetes.Interface, services int) error {
	have := 0
	every := 2*time.Second + time.Duration(services)*time.Millisecond // to ask is work for the server, too
	err := wait.PollUntilContextTimeout(ctx, every, time.Hour, true, func(ctx context.Context) (bool, error) {
		have = 0
		for options := (metav1.ListOptions{Limit: 500}); ; {
			list, err := client.AppsV1().Deployments("").List(ctx, options)
			if err != nil {
				return false, nil
			}
			for _, d := range list.Items {
				if d.Labels["leadsman.dev/bench"] != "" && d.Status.AvailableReplicas == podsPerService && d.Status.ObservedGeneration == d.Generation {
					have++
				}
			}
			if options.Continue = list.Continue; options.Continue == "" {
				return have >= services, nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("%d of %d Deployments have their pods: %w", have, services, err)
	}
	return nil
}
