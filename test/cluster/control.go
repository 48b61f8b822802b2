package cluster

import "github.com/leadsman-dev/leadsman/test/cluster/process"

// The names of the components that run on the machine itself. Those of a node
// are named by OnNode.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Registry          = "registry"
	Resolver          = "resolver" // of the names outside the cluster
)

// etcd does not wait for the disk: the cluster need not outlive the machine's boot.
func (f folder) etcd(b binaries) process.Command {
	peer := "http://" + hostIP + ":2380"
	return process.Command{Log: f.log(Etcd), Args: []string{b.kube("etcd"),
		"--name", "leadsman", "--data-dir", f.join("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "leadsman=" + peer,
		"--quota-backend-bytes", "4294967296", "--log-level", "warn",
	}}
}

func (f folder) apiServer(b binaries) process.Command {
	return process.Command{Log: f.log(APIServer), Args: []string{b.kube("kube-apiserver"),
		"--etcd-servers", etcdURL,
		"--bind-address", hostIP, "--advertise-address", hostIP,
		"--tls-cert-file", f.pki("apiserver.crt"), "--tls-private-key-file", f.pki("apiserver.key"),
		"--client-ca-file", f.pki("ca.crt"), "--token-auth-file", f.pki("tokens.csv"),
		"--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction",
		"--kubelet-client-certificate", f.pki("kubelet-client.crt"), "--kubelet-client-key", f.pki("kubelet-client.key"),
		"--kubelet-preferred-address-types", "InternalIP",
		"--requestheader-client-ca-file", f.pki("ca.crt"), "--requestheader-allowed-names", "front-proxy",
		"--requestheader-username-headers", "X-Remote-User", "--requestheader-group-headers", "X-Remote-Group",
		"--requestheader-extra-headers-prefix", "X-Remote-Extra-",
		"--proxy-client-cert-file", f.pki("front-proxy.crt"), "--proxy-client-key-file", f.pki("front-proxy.key"),
		"--service-account-issuer", "https://kubernetes.default.svc." + domain,
		"--service-account-signing-key-file", f.pki("service-account.key"), "--service-account-key-file", f.pki("service-account.key"),
		"--service-cluster-ip-range", serviceCIDR,
		"--allow-privileged", "--max-requests-inflight", "2000", "--max-mutating-requests-inflight", "1000",
	}}
}

// The controller manager makes host-path volumes for claims, marks a silent
// node within 20 s, and is quick enough for tests of ten thousand pods.
func (f folder) controllerManager(b binaries) process.Command {
	kubeconfig := f.kubeconfigOf(ControllerManager)
	return process.Command{Log: f.log(ControllerManager), Args: []string{b.kube("kube-controller-manager"),
		"--kubeconfig", kubeconfig, "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
		"--bind-address", hostIP, "--cert-dir", f.pki(""),
		"--root-ca-file", f.pki("ca.crt"), "--service-account-private-key-file", f.pki("service-account.key"),
		"--cluster-signing-cert-file", f.pki("ca.crt"), "--cluster-signing-key-file", f.pki("ca.key"),
		"--use-service-account-credentials", "--cluster-cidr", podCIDR, "--allocate-node-cidrs=false",
		"--enable-hostpath-provisioner", "--node-monitor-grace-period", "20s",
		"--kube-api-qps", "1000", "--kube-api-burst", "2000",
		"--concurrent-deployment-syncs", "24", "--concurrent-replicaset-syncs", "24",
	}}
}

func (f folder) scheduler(b binaries) process.Command {
	kubeconfig := f.kubeconfigOf(Scheduler)
	return process.Command{Log: f.log(Scheduler), Args: []string{b.kube("kube-scheduler"),
		"--kubeconfig", kubeconfig, "--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig,
		"--bind-address", hostIP, "--cert-dir", f.pki(""), "--kube-api-qps", "1000", "--kube-api-burst", "2000",
	}}
}

func (f folder) registry(b binaries) process.Command {
	return process.Command{Log: f.log(Registry), Args: []string{b.Labhost, "registry", registryAt, f.images()}}
}

func (f folder) resolver(b binaries) process.Command {
	return process.Command{Log: f.log(Resolver), Args: []string{b.CoreDNS, "-conf", f.join("resolver.Corefile")}}
}
