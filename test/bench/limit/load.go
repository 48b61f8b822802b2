package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// perDeployment is how many pods each Deployment has. None is ever scheduled:
// the load is on the API server and on us, not on the nodes.
const perDeployment = 500

const (
	small  = "bench-small" // one tenth of the pods
	large  = "bench-large"
	broken = "bench-broken"
)

func load(ctx context.Context, client kubernetes.Interface, all int) error {
	for namespace, pods := range map[string]int{small: all / 10, large: all} {
		if err := fill(ctx, client, namespace, max(1, pods/perDeployment)); err != nil {
			return err
		}
	}
	if err := customRoot(ctx, client); err != nil {
		return err
	}
	for namespace, pods := range map[string]int{small: all / 10, large: all} {
		if err := settled(ctx, client, namespace, max(1, pods/perDeployment)*perDeployment); err != nil {
			return err
		}
	}
	return nil
}

func fill(ctx context.Context, client kubernetes.Interface, namespace string, deployments int) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !exists(err) {
		return err
	}
	for i := 1; i <= deployments; i++ {
		d := deployment(fmt.Sprintf("app-%d", i), perDeployment)
		if _, err := client.AppsV1().Deployments(namespace).Create(ctx, d, metav1.CreateOptions{}); err != nil && !exists(err) {
			return err
		}
	}
	return nil
}

func exists(err error) bool { return strings.Contains(err.Error(), "already exists") }

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					NodeSelector: map[string]string{"leadsman.dev/bench": "no-such-node"},
					Containers: []corev1.Container{{
						Name: "app", Image: "nginx:1.25",
						Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
						Env:   []corev1.EnvVar{{Name: "MODE", Value: "bench"}},
					}},
				},
			},
		},
	}
}

// loadBroken is a namespace in which nothing works: each of its Deployments has
// one pod that finds no node, and a Service before it.
func loadBroken(ctx context.Context, client kubernetes.Interface, deployments int) error {
	if err := fill(ctx, client, broken, 0); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range deployments {
		group.Go(func() error {
			d := deployment(fmt.Sprintf("app-%d", i), 1)
			d.ObjectMeta.Labels = map[string]string{"app": d.Name, endpointsLabel: "broken"}
			service := &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: d.Name},
				Spec:       corev1.ServiceSpec{Selector: d.Spec.Selector.MatchLabels, Ports: []corev1.ServicePort{{Port: 80}}},
			}
			_, err := client.AppsV1().Deployments(broken).Create(gctx, d, metav1.CreateOptions{})
			if unlessExists(err) != nil {
				return err
			}
			_, err = client.CoreV1().Services(broken).Create(gctx, service, metav1.CreateOptions{})
			return unlessExists(err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return settled(ctx, client, broken, deployments)
}

// settled waits until all pods exist.
func settled(ctx context.Context, client kubernetes.Interface, namespace string, pods int) error {
	return wait.PollUntilContextTimeout(ctx, 2*time.Second, 20*time.Minute, true, func(ctx context.Context) (bool, error) {
		list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil {
			return false, err
		}
		have := len(list.Items)
		if list.RemainingItemCount != nil {
			have += int(*list.RemainingItemCount)
		}
		return have >= pods, nil
	})
}

// customRoot makes a custom kind and one object of it that owns a ConfigMap:
// what it owns can be found in no other way than by searching every kind.
func customRoot(ctx context.Context, client kubernetes.Interface) error {
	rest := client.CoreV1().RESTClient()
	post := func(path, body string) error {
		return rest.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(ctx).Error()
	}
	if err := post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd); err != nil && !exists(err) {
		return err
	}
	objects := "/apis/leadsman.dev/v1/namespaces/" + large + "/benches"
	err := wait.PollUntilContextTimeout(ctx, time.Second, time.Minute, true, func(context.Context) (bool, error) {
		err := post(objects, `{"apiVersion":"leadsman.dev/v1","kind":"Bench","metadata":{"name":"root"}}`)
		return err == nil || exists(err), nil
	})
	if err != nil {
		return fmt.Errorf("the custom kind is not served: %w", err)
	}
	root := &metav1.PartialObjectMetadata{}
	data, err := rest.Get().AbsPath(objects + "/root").DoRaw(ctx)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, root); err != nil {
		return err
	}
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "of-root", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "leadsman.dev/v1", Kind: "Bench", Name: "root", UID: root.UID},
	}}}
	if _, err := client.CoreV1().ConfigMaps(large).Create(ctx, child, metav1.CreateOptions{}); err != nil && !exists(err) {
		return err
	}
	return nil
}

const crd = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"benches.leadsman.dev"},
"spec":{"group":"leadsman.dev","scope":"Namespaced","names":{"kind":"Bench","plural":"benches","singular":"bench"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`

func unload(ctx context.Context, client kubernetes.Interface) error {
	for _, namespace := range []string{small, large, broken} {
		if err := client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil && !strings.Contains(err.Error(), "not found") {
			return err
		}
	}
	err := client.CoreV1().RESTClient().Delete().AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/benches.leadsman.dev").Do(ctx).Error()
	if err != nil && !strings.Contains(err.Error(), "not found") {
		return err
	}
	return nil
}
