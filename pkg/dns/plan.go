package dns

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Plan is what is worth asking live, given what the view holds: the plugin
// asks it, fills in Observations, and judges again.
type Plan struct {
	Client    object.Ref // the pod to exec in; zero where there is none that runs
	UID       types.UID
	Container string
	Node      string     // whose kubelet's configz may be read
	Servers   []Server   // every DNS replica, NodeLocal DNSCache's pod of the client's node last
	Questions []Question // for every server, in this order
}

// Server is one DNS replica that can be asked through a port-forward.
type Server struct {
	Pod       object.Ref
	UID       types.UID
	Container string // whose log holds the config hash
	Port      int32  // the container's DNS port, TCP
	Metrics   int32  // 0 where none is known
	Ready     int32  // of the ready plugin; 0 where there is none
	Health    int32  // of the health plugin; 0 where there is none
	NodeLocal bool
}

// Live says what to ask. Observations that are already known (such as the
// resolv.conf) make it better: it may be called again with them.
func Live(v *index.View, ask Ask, seen Observations) Plan { return Plan{} }
