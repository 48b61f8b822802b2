package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// balancerFinalizer keeps a Service until its load balancer is gone
// (k8s.io/cloud-provider/service/helpers, LoadBalancerCleanupFinalizer).
const balancerFinalizer = "service.kubernetes.io/load-balancer-cleanup"

// lifetime: a Service that is deleted and held works until it is let go.
func lifetime() Analyzer {
	return Analyzer{Name: "lifetime", Docs: lifetimeDocs(), Each: func(c *subject) {
		deleted := c.svc.DeletionTimestamp
		if deleted == nil || len(c.svc.Finalizers) == 0 {
			return
		}
		age, severity, holders := c.v.Now.Sub(deleted.Time), finding.Warning, strings.Join(c.svc.Finalizers, ", ")
		switch {
		case age < c.letGoWithin():
			severity = finding.Info
		case !c.anyRow((*entry).usable): // a deletion in the foreground takes its slices away
			severity = finding.Error
		}
		c.say("service-deleted", severity, fmt.Sprintf("it was deleted %s ago, and only its %s (%s) %s it: it is gone as soon as that is taken away", duration.HumanDuration(age), verb(len(c.svc.Finalizers), "finalizer", "finalizers"), holders, verb(len(c.svc.Finalizers), "keeps", "keep")),
			[]finding.Evidence{fact(c.ref, "metadata.deletionTimestamp", deleted.UTC().Format(time.RFC3339)), fact(c.ref, "metadata.finalizers", holders)},
			c.letGo())
	}}
}

// letGoWithin is how long whoever holds it may take: a cloud needs minutes to
// take a load balancer away.
func (c *subject) letGoWithin() time.Duration {
	if slices.Contains(c.svc.Finalizers, balancerFinalizer) {
		return 5 * time.Minute
	}
	return lag
}

func (c *subject) letGo() finding.Fix {
	switch {
	case slices.Contains(c.svc.Finalizers, balancerFinalizer):
		return command("see what the controller of its load balancer says; it takes the finalizer away when that is gone", c.svc.Namespace, "describe", "service", c.svc.Name)
	case slices.Contains(c.svc.Finalizers, metav1.FinalizerDeleteDependents):
		return manual("what it owns is deleted first: find what of that is held by a finalizer of its own")
	}
	return command("let it go, once whoever set the finalizer needs it no more; create the Service anew if it is wanted", c.svc.Namespace,
		"patch", "service", c.svc.Name, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
}
