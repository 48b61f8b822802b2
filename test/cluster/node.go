package cluster

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/leadsman-dev/leadsman/test/cluster/process"
)

// The programs of a node, for OnNode.
const (
	Containerd = "containerd"
	Kubelet    = "kubelet"
	KubeProxy  = "kube-proxy"
)

// OnNode names the component that is a program of a node: lab-n1/kubelet.
func OnNode(node, program string) string { return node + "/" + program }

//go:embed nodeconfig
var nodeConfigs embed.FS

// writeNode writes the configuration of a node's programs.
func (f folder) writeNode(n Node) error {
	values := map[string]any{
		"Node": n, "Folder": f.node(n), "Pause": pauseImage, "CNIPlugins": cniPlugins, "Registry": registryAt,
		"CA": f.pki("ca.crt"), "DNS": dnsService, "Domain": domain,
	}
	for name, path := range map[string]string{
		"containerd.toml": "containerd.toml",
		"hosts.toml":      "registries/_default/hosts.toml",
		"pods.conflist":   "cni/10-pods.conflist",
		"kubelet.yaml":    "kubelet.yaml",
	} {
		if err := writeTemplate(f.node(n, path), name, values); err != nil {
			return fmt.Errorf("configure node %s: %w", n.Name, err)
		}
	}
	// docker.io has a default of its own in containerd; the rest is _default.
	if err := writeTemplate(f.node(n, "registries/docker.io/hosts.toml"), "hosts.toml", values); err != nil {
		return fmt.Errorf("configure node %s: %w", n.Name, err)
	}
	resolv := "nameserver " + hostIP + "\n"
	if err := os.WriteFile(f.node(n, "resolv.conf"), []byte(resolv), 0o644); err != nil {
		return fmt.Errorf("configure node %s: %w", n.Name, err)
	}
	return nil
}

func writeTemplate(path, name string, values any) error {
	t, err := template.ParseFS(nodeConfigs, "nodeconfig/"+name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := t.Execute(file, values); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// nodeFirst is the first process of the node: its namespaces are the node.
func (f folder) nodeFirst(b binaries, n Node) process.Command {
	return process.Command{Log: f.log(n.Name), Args: []string{b.Labhost, "node", n.Name, f.node(n)}}
}

func (f folder) containerd(n Node, first int) process.Command {
	return process.Command{Log: f.log(OnNode(n.Name, Containerd)), Node: first,
		Args: []string{"containerd", "--config", f.node(n, "containerd.toml"), "--log-level", "warn"}}
}

func (f folder) kubelet(b binaries, n Node, first int) process.Command {
	return process.Command{Log: f.log(OnNode(n.Name, Kubelet)), Node: first,
		Args: []string{b.kube("kubelet"), "--config", f.node(n, "kubelet.yaml"), "--kubeconfig", f.kubeconfigOf(n.Name),
			"--hostname-override", n.Name, "--node-ip", n.IP, "--node-labels", "topology.kubernetes.io/zone=" + n.Zone}}
}

// kubeProxy leaves the limits on tracked connections alone: they are the machine's.
func (f folder) kubeProxy(b binaries, n Node, first int) process.Command {
	return process.Command{Log: f.log(OnNode(n.Name, KubeProxy)), Node: first,
		Args: []string{b.kube("kube-proxy"), "--kubeconfig", f.kubeconfigOf(KubeProxy), "--hostname-override", n.Name,
			"--proxy-mode", "iptables", "--cluster-cidr", podCIDR, "--healthz-bind-address", n.IP + ":10256", "--metrics-bind-address", n.IP + ":10249",
			"--conntrack-max-per-core", "0", "--conntrack-min", "0", "--conntrack-tcp-timeout-established", "0s", "--conntrack-tcp-timeout-close-wait", "0s"}}
}

// importImages hands all images to the node's containerd, as soon as it answers.
func (f folder) importImages(ctx context.Context, n Node, first int) error {
	return retry(ctx, "import images into "+n.Name, func() error {
		_, err := nodeOutput(ctx, first, "ctr", "--namespace", "k8s.io", "images", "import", f.join("images.tar"))
		return err
	})
}

// killContainers kills the running containers of that name on a node. A
// container's labels are those that the kubelet gave it.
func killContainers(ctx context.Context, first int, name string) error {
	ctr := []string{"ctr", "--namespace", "k8s.io"}
	ids, err := nodeOutput(ctx, first, append(ctr, "containers", "list", "--quiet", `labels."io.kubernetes.container.name"==`+name)...)
	if err != nil {
		return err
	}
	running, err := nodeOutput(ctx, first, append(ctr, "tasks", "list")...)
	if err != nil {
		return err
	}
	killed := false
	for _, id := range strings.Fields(ids) {
		for line := range strings.Lines(running) {
			if strings.HasPrefix(line, id) && strings.Contains(line, "RUNNING") {
				if _, err := nodeOutput(ctx, first, append(ctr, "tasks", "kill", "--signal", "SIGKILL", id)...); err != nil {
					return err
				}
				killed = true
			}
		}
	}
	if !killed {
		return fmt.Errorf("no container %s runs on the node", name)
	}
	return nil
}

// nodeOutput runs a command on a node to its end. It is in the node's pid
// namespace too, so that it ends with the node when the caller was killed.
func nodeOutput(ctx context.Context, first int, args ...string) (string, error) {
	enter := append([]string{"--target", strconv.Itoa(first), "--net", "--mount", "--pid", "--"}, args...)
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "nsenter", enter...)
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second // cancelling ends nsenter, and the command only with the node
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
