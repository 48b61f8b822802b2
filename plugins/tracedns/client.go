package tracedns

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/cli"
)

// settle finds out in which namespace the client is.
func (o *options) settle(ctx context.Context, env *cli.Env, session *cli.Session) error {
	namespace, err := env.Namespace(&o.Shared, false)
	if err != nil {
		return err
	}
	if o.ask.From.Namespace != "" {
		namespace = o.ask.From.Namespace
	}
	if namespace == "" {
		if namespace, err = o.namespaceInSnapshot(ctx, session); err != nil {
			return err
		}
	}
	o.ask.Namespace = namespace
	if o.ask.From.Name != "" {
		o.ask.From.Namespace = namespace
	}
	return nil
}

// namespaceInSnapshot is that of the recorded question, or that of the only
// object with the client's name.
func (o *options) namespaceInSnapshot(ctx context.Context, session *cli.Session) (string, error) {
	if namespace, err := recordedNamespace(o.ask, session.Replayed()); namespace != "" || err != nil {
		return namespace, err
	}
	if o.ask.From.Name == "" {
		return corev1.NamespaceDefault, nil
	}
	return session.NamespaceOf(ctx, o.ask.From)
}
