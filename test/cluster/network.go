package cluster

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// makeBridge makes the bridge that joins the nodes and the machine. Its alias is
// the state folder, so that clusters of two folders do not take it from each other.
func (f folder) makeBridge(ctx context.Context) error {
	if owner, exists := bridgeOwner(ctx); exists && owner != string(f) {
		return fmt.Errorf("bridge %s belongs to the cluster in %q; take that down first, with LEADSMAN_CLUSTER_DIR set to its folder", bridge, owner)
	}
	return ip(ctx, 0,
		"link add "+bridge+" type bridge",
		"link set "+bridge+" alias "+string(f),
		fmt.Sprintf("addr add %s/%d dev %s", hostIP, subnetBits, bridge),
		"link set "+bridge+" up",
	)
}

// connect lays the cable between a node, given by its first process, and the
// bridge, and the routes to its pods.
func connect(ctx context.Context, n Node, first int) error {
	if err := ip(ctx, 0,
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", n.veth, first),
		"link set "+n.veth+" master "+bridge+" up",
		fmt.Sprintf("route add %s via %s dev %s", n.PodCIDR, n.IP, bridge),
	); err != nil {
		return err
	}
	inside := []string{
		"link set lo up",
		fmt.Sprintf("addr add %s/%d dev eth0", n.IP, subnetBits),
		"link set eth0 up",
	}
	for _, other := range Nodes() {
		if other.Name != n.Name {
			inside = append(inside, fmt.Sprintf("route add %s via %s", other.PodCIDR, other.IP))
		}
	}
	return ip(ctx, first, inside...)
}

// plug sets the machine's end of a node's cable up or down. The machine's
// route to the node's pods stays: it is the bridge's.
func (folder) plug(ctx context.Context, n Node, upOrDown string) error {
	return ip(ctx, 0, "link set "+n.veth+" "+upOrDown)
}

// removeBridge removes the bridge and the cables that are left, if they are
// this cluster's. The routes go with the bridge.
func (f folder) removeBridge(ctx context.Context) error {
	if owner, exists := bridgeOwner(ctx); exists && owner != string(f) && owner != "" {
		return nil
	}
	links := []string{bridge}
	for _, n := range Nodes() {
		links = append(links, n.veth)
	}
	for _, link := range links {
		// A cable goes with its node, but a moment later.
		if err := ip(ctx, 0, "link del "+link); err != nil && linkExists(ctx, link) {
			return err
		}
	}
	return nil
}

func bridgeOwner(ctx context.Context) (owner string, exists bool) {
	out, err := exec.CommandContext(ctx, "ip", "-o", "link", "show", bridge).Output()
	if err != nil {
		return "", false
	}
	_, alias, _ := strings.Cut(string(out), "alias ")
	return strings.TrimSpace(alias), true
}

func linkExists(ctx context.Context, name string) bool {
	return exec.CommandContext(ctx, "ip", "link", "show", name).Run() == nil
}

// ip runs ip(8) commands as one batch, in the network of process first, or in
// the machine's when first is 0.
func ip(ctx context.Context, first int, commands ...string) error {
	args := []string{"ip", "-batch", "-"}
	if first != 0 {
		args = append([]string{"nsenter", "--target", strconv.Itoa(first), "--net", "--"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(commands, "; "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
