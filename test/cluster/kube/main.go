// Command kube is every program of a Kubernetes cluster linked once: the API
// server, the controller manager, the scheduler, the kubelet, kube-proxy, etcd
// and kubectl. The face is chosen by the name it is called with, or by its
// first argument; one link step and one file serve the whole test cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's ways to sign in
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics, as in the released programs
	_ "k8s.io/component-base/metrics/prometheus/version"  // build info metric, as in the released programs
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	faces := map[string]func() int{
		"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
		"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
		"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
		"kubelet":                 func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
		"kube-proxy":              func() int { return cli.Run(proxy.NewProxyCommand()) },
		"etcd":                    runEtcd,
		"kubectl":                 runKubectl,
	}
	face, ok := faces[filepath.Base(os.Args[0])]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		face, ok = faces[os.Args[0]]
	}
	if !ok {
		names := make([]string, 0, len(faces))
		for name := range faces {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "kube: name one of %s first\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	os.Exit(face())
}

// runEtcd runs until a signal ends the process; etcd has no other way out.
func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

// runKubectl is the real kubectl with its plugin dispatch. It reads os.Args,
// which name kubectl first in either way of calling, and exits as kubectl does.
func runKubectl() int {
	// The plugins are looked up before the flags are read, so kubectl sets its verbosity first.
	if _, err := logs.GlogSetter(cmd.GetLogVerbosity(os.Args)); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		cmdutil.CheckErr(err)
	}
	return 0
}
