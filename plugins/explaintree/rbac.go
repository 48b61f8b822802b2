package explaintree

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/relation"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// printRBAC asks for what the table of relations can lead to: every kind in
// it, events and logs. Secrets are only ever listed as metadata, which needs
// the right to read them all the same.
func printRBAC(env *cli.Env) error {
	table, err := relation.NewTable()
	if err != nil {
		return err
	}
	wanted := append(table.Kinds(), schema.GroupKind{Kind: "Event"})
	var kinds []source.Kind
	for _, k := range scheme.Kinds() {
		if slices.Contains(wanted, k.GroupKind()) {
			kinds = append(kinds, k)
		}
	}
	return env.PrintRBAC("leadsman-explain-tree", kinds, true, rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"},
	})
}
