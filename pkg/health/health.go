// Package health says in words how an object is: its state, the reason, and
// the field in which the reason is written. One classifier serves all plugins.
package health

import (
	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Level is the state of an object in one word.
type Level string

// The levels. None is for objects that cannot be unwell, such as a ConfigMap.
const (
	OK          Level = "ok"
	Progressing Level = "progressing"
	Warning     Level = "warning"
	Broken      Level = "broken"
	Unknown     Level = "unknown"
	None        Level = "none"
)

// State is how an object is.
type State struct {
	Level    Level
	Ready    string // "1/2"; empty where nothing counts
	Status   string // a few words, such as "ImagePullBackOff" or "2 of 3 available"
	Detail   string // what a wide view adds, such as the pod's IP and node
	Problems []Problem
}

// Problem is a failure of the object itself, told from its status, its events
// and its logs. Its Name is the catalogue's, without a domain: each plugin
// puts its own in front ("tree/oom", "rollout/oom").
type Problem struct {
	Name      string
	Severity  finding.Severity
	Container string // the failing container, where it is one container's
	Message   string // one plain sentence, without the object's name in front
	Evidence  []finding.Evidence
	Fix       []finding.Fix
	Terminal  bool           // it cannot recover without a change
	Template  bool           // only another pod template mends it: waiting does not, nor does another node
	Missing   object.Ref     // the object that it waits for, where that is the reason
	Node      string         // the node that it is due to, where that is the reason
	Ask       []source.Query // reads that would settle it, where it is not settled
}

// Container is one container of a pod.
type Container struct {
	Name     string
	Type     ContainerType
	Image    string
	Ready    bool
	Restarts int32
	Level    Level
	Status   string
}

// ContainerType is the part that a container plays in its pod.
type ContainerType string

// The container types, in the order in which the kubelet starts them.
const (
	InitContainer      ContainerType = "init container"
	SidecarContainer   ContainerType = "sidecar" // init container with restartPolicy Always
	AppContainer       ContainerType = "container"
	EphemeralContainer ContainerType = "ephemeral container"
)
