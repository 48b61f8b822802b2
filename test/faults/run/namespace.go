package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// connect reads the user's kubeconfig and makes a client of it.
func connect() (kubernetes.Interface, api.Config, error) {
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil)
	raw, err := loaded.RawConfig()
	if err != nil {
		return nil, raw, err
	}
	if err := api.FlattenConfig(&raw); err != nil {
		return nil, raw, err
	}
	config, err := loaded.ClientConfig()
	if err != nil {
		return nil, raw, err
	}
	config.QPS, config.Burst = -1, -1
	client, err := kubernetes.NewForConfig(config)
	return client, raw, err
}

// bind writes a kubeconfig in which the namespace is the current one.
func (l *lab) bind(namespace, file string) error {
	config := l.config.DeepCopy()
	if current, ok := config.Contexts[config.CurrentContext]; ok {
		current.Namespace = namespace
	}
	return clientcmd.WriteToFile(*config, file)
}

// makeNamespace makes a namespace in which pods can be made, once what an
// earlier run left of it is gone.
func (l *lab) makeNamespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"leadsman.dev/fault": "true"}}}
	if err := l.deleteNamespace(ctx, name); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := l.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
		return err == nil, passing(err)
	})
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := l.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, passing(err)
	})
}

// passing are the errors that time mends.
func passing(err error) error {
	if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// deleteNamespace does not wait for the end.
func (l *lab) deleteNamespace(ctx context.Context, name string) error {
	return passing(l.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}))
}
