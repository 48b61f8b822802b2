package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// debianPackages are what the nodes run beside Kubernetes, each with a file that
// tells that it is installed.
func debianPackages() map[string]string {
	return map[string]string{
		"containerd":                  "/usr/bin/containerd",
		"runc":                        "/usr/sbin/runc",
		"containernetworking-plugins": cniPlugins + "/ptp",
		"iptables":                    "/usr/sbin/iptables",
		"conntrack":                   "/usr/sbin/conntrack",
		"socat":                       "/usr/bin/socat",
		"iproute2":                    "/bin/ip",
		"util-linux":                  "/usr/bin/nsenter",
		"busybox-static":              busybox,
		"musl-tools":                  "/usr/bin/musl-gcc",
	}
}

const (
	cniPlugins = "/usr/lib/cni"
	busybox    = "/bin/busybox"
)

// installPackages installs what is missing, with apt-get. Debian's containerd
// brings a service of the machine's own, which its installation may start; the
// cluster neither configures it nor talks to it.
func installPackages(ctx context.Context, say func(string, ...any)) error {
	if os.Geteuid() != 0 {
		return errors.New("the cluster makes namespaces and a bridge, which takes root; run it as root or in a virtual machine")
	}
	var missing []string
	for name, file := range debianPackages() {
		if _, err := os.Stat(file); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install %s: this machine has no apt-get; install them by its own means", strings.Join(missing, " "))
	}
	say("installing %s", strings.Join(missing, " "))
	install := append([]string{"install", "-y", "--no-install-recommends"}, missing...)
	if err := aptGet(ctx, install...); err == nil {
		return nil
	}
	// The list of packages may be too old to name files that still exist.
	if err := aptGet(ctx, "update"); err != nil {
		return err
	}
	return aptGet(ctx, install...)
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lines[len(lines)-1])
	}
	return nil
}
