package cluster

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Status is how one component fares.
type Status struct {
	Name   string
	Err    error // nil when it works
	Detail string
}

// client asks the components over their own HTTP endpoints.
type client struct {
	http  *http.Client
	token string
}

func (f folder) client() *client {
	token, _ := os.ReadFile(f.join("admin.token")) // without it, answers say unauthorized
	return &client{token: string(token), http: &http.Client{
		Timeout: 3 * time.Second,
		// The controller manager and the scheduler sign their certificates themselves,
		// and the network is the machine's own bridge.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}}
}

// get returns the body of a 200 answer.
func (c *client) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(url, apiURL) {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return body, nil
}

// endpoint is where a component says how it fares; "" when it has no such.
func endpoint(name string) string {
	switch name {
	case Etcd:
		return etcdURL + "/health"
	case APIServer:
		return apiURL + "/readyz"
	case ControllerManager:
		return "https://" + hostIP + ":10257/healthz"
	case Scheduler:
		return "https://" + hostIP + ":10259/healthz"
	case Registry:
		return "http://" + registryAt + "/v2/"
	case Resolver:
		return "http://" + hostIP + ":8181/ready"
	}
	for _, n := range Nodes() {
		switch name {
		case OnNode(n.Name, Kubelet):
			return "http://" + n.IP + ":10248/healthz"
		case OnNode(n.Name, KubeProxy):
			return "http://" + n.IP + ":10256/healthz"
		}
	}
	return ""
}

// status asks everything that was started, and what the API says of nodes and DNS.
func (f folder) status(ctx context.Context, s *state) []Status {
	c := f.client()
	var all []Status
	for _, comp := range s.Components {
		st := Status{Name: comp.Name, Detail: fmt.Sprintf("pid %d", comp.Identity.PID)}
		switch {
		case comp.Stopped:
			st.Err = errors.New("stopped on purpose")
		case !comp.Identity.Alive():
			st.Err = fmt.Errorf("its process %d is gone; its log is %s", comp.Identity.PID, comp.Command.Log)
		default:
			if url := endpoint(comp.Name); url != "" {
				_, st.Err = c.get(ctx, url)
			}
		}
		all = append(all, st)
	}
	for _, n := range Nodes() {
		all = append(all, c.nodeReady(ctx, n.Name))
	}
	return append(all, c.dnsReady(ctx))
}

func (c *client) nodeReady(ctx context.Context, name string) Status {
	st := Status{Name: "node/" + name, Detail: "Ready"}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if st.Err = c.getJSON(ctx, "/api/v1/nodes/"+name, &node); st.Err != nil {
		return st
	}
	for _, cond := range node.Status.Conditions {
		if cond.Type == "Ready" && cond.Status == "True" {
			return st
		}
		if cond.Type == "Ready" {
			st.Err = fmt.Errorf("not ready: %s", cond.Message)
			return st
		}
	}
	st.Err = errors.New("its kubelet has not yet reported")
	return st
}

func (c *client) dnsReady(ctx context.Context) Status {
	st := Status{Name: "deployment/coredns"}
	var deployment struct {
		Spec   struct{ Replicas int }
		Status struct{ ReadyReplicas int }
	}
	if st.Err = c.getJSON(ctx, "/apis/apps/v1/namespaces/kube-system/deployments/coredns", &deployment); st.Err != nil {
		return st
	}
	st.Detail = fmt.Sprintf("%d of %d replicas ready", deployment.Status.ReadyReplicas, deployment.Spec.Replicas)
	if deployment.Status.ReadyReplicas < deployment.Spec.Replicas || deployment.Spec.Replicas == 0 {
		st.Err = errors.New(st.Detail)
	}
	return st
}

func (c *client) getJSON(ctx context.Context, path string, into any) error {
	data, err := c.get(ctx, apiURL+path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// unwell joins the errors of a status.
func unwell(all []Status) error {
	var errs []error
	for _, s := range all {
		if s.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, s.Err))
		}
	}
	return errors.Join(errs...)
}

// endedError says that a process is gone: to wait for it is in vain.
type endedError struct{ name, log string }

func (e *endedError) Error() string { return e.name + " has ended; its log is " + e.log }

// retry repeats what cannot work yet, until it does, ctx ends, or what it waits
// for has ended.
func retry(ctx context.Context, what string, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		if ended := (*endedError)(nil); errors.As(err, &ended) {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; the last answer was: %w", what, ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
