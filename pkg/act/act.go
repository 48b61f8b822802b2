// Package act is the only room that changes a cluster. Each write is tried as a
// server-side dry run before it is done, carries a precondition that makes it
// fail if somebody was faster, and is sent once: what may have been done is
// never done again.
package act

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Why a write was not done. All but ErrUnsure say that nothing was changed.
var (
	ErrMoved     = errors.New("somebody else changed it meanwhile, and nothing was done")
	ErrMissing   = errors.New("it does not exist")
	ErrForbidden = errors.New("you may not do that")
	ErrRefused   = errors.New("the cluster refuses it")
	ErrAway      = errors.New("the cluster did not answer")
	ErrUnsure    = errors.New("whether it was done is not known")
)

// manager is the name under which the server notes down our writes.
const manager = "leadsman"

// Actor changes a cluster. It is safe for concurrent use.
type Actor struct {
	wire wire
}

// New prepares an Actor. The configuration is read with the first request.
func New(config func() (*rest.Config, error)) *Actor {
	return &Actor{wire: newWire(config)}
}

// Requests is how many requests were sent so far.
func (a *Actor) Requests() int { return int(a.wire.requests.Load()) }

// Get reads an object in full, as the server keeps it.
func (a *Actor) Get(ctx context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	return a.wire.ask(ctx, request{verb: "get", method: "GET", ref: ref})
}

// Patch sends a JSON patch, which must test what it relies on: first as a dry
// run and then, unless that is all, in earnest. It returns the object as it is,
// or would be.
func (a *Actor) Patch(ctx context.Context, ref object.Ref, patch []byte, dryRun bool) (*unstructured.Unstructured, error) {
	r := request{verb: "patch", method: "PATCH", ref: ref, body: patch, media: string(types.JSONPatchType), dryRun: true}
	o, err := a.wire.ask(ctx, r)
	if err != nil || dryRun {
		return o, err
	}
	r.dryRun = false
	return a.wire.ask(ctx, r)
}

// attempts bounds how often Change reads again. A failing workload's status is
// written several times a second at most.
const attempts = 8

// Change reads the object, has a patch made of it and sends that. Where the
// object changed in between it reads again, so that only build says whether
// what changed matters: its errors end it.
func (a *Actor) Change(ctx context.Context, ref object.Ref, build func(current *unstructured.Unstructured) ([]byte, error)) (*unstructured.Unstructured, error) {
	for attempt := 1; ; attempt++ {
		current, err := a.Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		patch, err := build(current)
		if err != nil {
			return nil, err
		}
		changed, err := a.Patch(ctx, ref, patch, false)
		if !errors.Is(err, ErrMoved) || attempt == attempts {
			return changed, err
		}
	}
}

// Delete deletes the object of this UID, and, if it is given, of this
// resource version.
func (a *Actor) Delete(ctx context.Context, ref object.Ref, uid types.UID, resourceVersion string) error {
	if uid == "" {
		return fmt.Errorf("%s: only an object whose UID is known is deleted", ref.Arg())
	}
	r := request{verb: "delete", method: "DELETE", ref: ref, media: "application/json", dryRun: true}
	r.body = deleteOptions(uid, resourceVersion)
	if _, err := a.wire.ask(ctx, r); err != nil {
		return err
	}
	r.dryRun = false
	_, err := a.wire.ask(ctx, r)
	return err
}
