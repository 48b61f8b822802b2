package rollout

import (
	"slices"

	"github.com/leadsman-dev/leadsman/pkg/finding"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout/cause"
	"github.com/leadsman-dev/leadsman/pkg/rollout/preflight"
	"github.com/leadsman-dev/leadsman/pkg/rollout/proof"
	"github.com/leadsman-dev/leadsman/pkg/rollout/workload"
)

// Docs are the pages of all that guard-rollout finds.
func Docs() []finding.Doc {
	return slices.Concat(cause.Docs(), ownDocs(), proof.Docs(), preflight.Docs())
}

func ownDocs() []finding.Doc {
	return []finding.Doc{
		{
			Code: "rollout/superseded", Severity: finding.Error, Title: "Another rollout took the place of this one",
			Means:  "Somebody, or something, changed the pod template while the one under watch was still rolling out. What was asked about will never be complete.",
			Told:   "The template differs from the one that the watch began with. A change of replicas is no new template (scaled-midway), and a rollback that this program makes itself is expected.",
			Fix:    "Watch the newer rollout. If two pipelines deploy the same object, let only one of them.",
			Source: "kubernetes pkg/controller/deployment/util, EqualIgnoreHash",
		},
		{
			Code: "rollout/deleted", Severity: finding.Error, Title: "The workload was deleted while it was watched",
			Means:  "There is nothing left to roll out.",
			Told:   "The watch reported the deletion.",
			Fix:    "Create it again, or stop waiting for it.",
			Source: "kubernetes API concepts, efficient detection of changes",
		},
		{
			Code: "rollout/recreated", Severity: finding.Error, Title: "The workload was deleted and created anew",
			Means:  "An object of the same name stands there now; the rollout under watch went with the one before.",
			Told:   "metadata.uid changed.",
			Fix:    "Watch the new object. kubectl replace --force and some deploy tools do this: use kubectl apply instead, which rolls.",
			Source: "kubernetes API conventions, metadata.uid",
		},
		{
			Code: "rollout/scaled-midway", Severity: finding.Info, Title: "The workload was scaled while it rolled out",
			Means:  "The number of pods that are promised at every moment moved with it.",
			Told:   "spec.replicas changed and the template did not.",
			Fix:    "Nothing: it is told so that the numbers are understood.",
			Source: "kubernetes pkg/controller/deployment, scale",
		},
		{
			Code: "rollout/nothing-to-roll", Severity: finding.Info, Title: "There is nothing to roll out",
			Means:  "The pods already run the newest template.",
			Told:   "The controller has seen the newest spec, and all pods are of its revision and available.",
			Fix:    "Change the template; to restart the same one: kubectl rollout restart. To wait for the next rollout, start the watch with --await before it.",
			Source: "kubectl pkg/polymorphichelpers, DeploymentStatusViewer",
		},
		{
			Code: "rollout/watch-gap", Severity: finding.Warning, Title: "The connection to the API server is lost right now",
			Means:  "What is shown may be old. The watch resumes by itself and delivers what happened in between, but not when.",
			Told:   "A watch ended and has not been resumed. The seconds are counted in the proof of availability.",
			Fix:    "Wait, or check the connection to the API server.",
			Source: "kubernetes API concepts, watch",
		},
		{
			Code: "rollout/rbac", Severity: finding.Info, Title: "Something may not be looked at",
			Means:  "A part of the judgement is skipped, because this account has no right to read what it needs.",
			Told:   "The API server answered 403 to a list or a watch.",
			Fix:    "Give the account the rights that --print-rbac prints.",
			Source: "kubernetes RBAC, verbs list and watch",
		},
		{
			Code: "rollout/throttled", Severity: finding.Warning, Title: "The API server does not answer for a kind",
			Means:  "A part of the judgement is skipped, because the server throttled or failed the request until the time for it was over.",
			Told:   "429, 5xx or a time-out to the end of --request-timeout.",
			Fix:    "Try again; look at the API server's load and at its priority and fairness settings.",
			Source: "kubernetes API priority and fairness",
		},
	}
}

// lessons explain the terms that matter for this workload.
func lessons(opts Options, wl *workload.Workload) []report.Lesson {
	if !opts.Learn {
		return nil
	}
	ls := []report.Lesson{
		{Term: "rollout", Text: "Changing the pod template makes a new revision; the controller replaces the old pods by new ones, step by step."},
		{Term: "revision", Text: "Each version of the template is kept, as a ReplicaSet or a ControllerRevision, so that one can go back to it."},
	}
	switch {
	case wl.Ref.Kind == "Deployment" && wl.Strategy.Type == "Recreate":
		ls = append(ls, report.Lesson{Term: "Recreate", Text: "All old pods end before the first new one starts: there is a time without any."})
	case wl.Ref.Kind == "Deployment":
		ls = append(ls, report.Lesson{Term: "maxSurge, maxUnavailable", Text: "How many pods may be there beyond the wanted number, and how many may be missing from it, while it rolls: the second one sets the floor."})
	case wl.Ref.Kind == "StatefulSet":
		ls = append(ls, report.Lesson{Term: "ordinals", Text: "A StatefulSet replaces its pods from the highest ordinal down, one after the other, and waits for each to be ready."})
	case wl.Ref.Kind == "DaemonSet":
		ls = append(ls, report.Lesson{Term: "DaemonSet", Text: "One pod runs on each node that fits; on each the old pod goes before, or with maxSurge after, the new one starts."})
	}
	return append(ls,
		report.Lesson{Term: "available", Text: "A pod is available when its readiness probe has succeeded for minReadySeconds; only then does the rollout go on."},
		report.Lesson{Term: "floor", Text: "The fewest endpoints that the strategy promises at any moment; the proof counts those that really served."},
	)
}
