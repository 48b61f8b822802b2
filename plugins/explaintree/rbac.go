package explaintree

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// printRBAC asks for what the table of relations can lead to: every kind in
// it, events and logs. Secrets are only ever listed as metadata, which needs
// the right to read them all the same. Of kinds that are not built in, only
// those that the table names are asked for.
func printRBAC(env *cli.Env) error {
	table, err := relation.NewTable()
	if err != nil {
		return err
	}
	wanted := append(table.Kinds(), schema.GroupKind{Kind: "Event"})
	builtin := map[schema.GroupKind]source.Kind{}
	for _, k := range scheme.Kinds() {
		builtin[k.GroupKind()] = k
	}
	var kinds []source.Kind
	for _, gk := range wanted {
		k, ok := builtin[gk]
		if !ok {
			plural, _ := meta.UnsafeGuessKindToResource(gk.WithVersion(""))
			k = source.Kind{Group: gk.Group, Kind: gk.Kind, Resource: plural.Resource}
		}
		kinds = append(kinds, k)
	}
	return env.PrintRBAC("leadsman-explain-tree", kinds, true, rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"},
	})
}
