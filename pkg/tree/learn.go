package tree

import "github.com/leadsman-dev/leadsman/pkg/report"

// teach adds one plain sentence to the first row of each kind.
func (b *builder) teach(n *report.Node) {
	if !b.opts.Learn {
		return
	}
	key := n.Object.Kind
	if n.Object.Kind == "Container" {
		key = "container"
	}
	if b.taught[key] {
		return
	}
	sentence, ok := lessons[key]
	if !ok {
		sentence = b.lessonOf(n.Relation)
	}
	if sentence != "" {
		b.taught[key], n.Learn = true, sentence
	}
}

func (b *builder) lessonOf(relationName string) string {
	for i := range b.g.Table.Rows {
		if row := &b.g.Table.Rows[i]; row.Name == relationName {
			return row.Learn
		}
	}
	return ""
}

// lessons say what a kind is for. The relations' own sentences serve the rest.
var lessons = map[string]string{
	"Deployment":              "A Deployment manages ReplicaSets, a ReplicaSet manages Pods, a Pod wraps containers. You change the Deployment; the rest follows.",
	"ReplicaSet":              "A ReplicaSet keeps the wanted number of equal Pods running. A Deployment makes a new one for each revision and keeps old ones to go back to.",
	"Pod":                     "A Pod is one or more containers that share an address and are placed on a node together. Pods are replaced, not repaired.",
	"container":               "A container is a running image. The kubelet restarts it when it ends.",
	"StatefulSet":             "A StatefulSet runs Pods with stable names, started in order, each with storage of its own.",
	"DaemonSet":               "A DaemonSet runs one Pod on every node that it may use.",
	"Job":                     "A Job runs Pods until enough of them have ended well.",
	"CronJob":                 "A CronJob starts a Job each time its schedule comes due.",
	"Service":                 "A Service is one stable address in front of all ready Pods that carry the labels of its selector.",
	"Ingress":                 "An Ingress routes HTTP requests from outside to Services, by host and path.",
	"ConfigMap":               "A ConfigMap holds configuration that pods read as files or variables.",
	"Secret":                  "A Secret holds confidential values that pods read as files or variables.",
	"ServiceAccount":          "A ServiceAccount is the identity under which a pod talks to the API server.",
	"PersistentVolumeClaim":   "A PersistentVolumeClaim asks for storage that outlives the pod.",
	"PersistentVolume":        "A PersistentVolume is a piece of storage; one claim is bound to it. Its reclaim policy says what becomes of the data when the claim goes.",
	"StorageClass":            "A StorageClass says how volumes are made.",
	"HorizontalPodAutoscaler": "A HorizontalPodAutoscaler changes the number of replicas by load.",
	"PodDisruptionBudget":     "A PodDisruptionBudget limits how many pods a drain may evict at once; it never blocks a rollout.",
	"NetworkPolicy":           "A NetworkPolicy allows only the traffic that it names to or from the pods that it selects.",
	"Node":                    "A Node is a machine of the cluster; its kubelet starts the containers of the pods bound to it, its kube-proxy makes Services work.",
	"Namespace":               "A Namespace is a space for names; deleting it deletes everything in it.",
	"Lease":                   "A Lease is a heartbeat: its holder renews it every few seconds while it lives.",
}
