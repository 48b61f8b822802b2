package endpoints

import (
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Ask says which Services are asked about. Without names, all Services of the
// namespace (or, with "", of every namespace) that the labels select.
type Ask struct {
	Names     []string
	Namespace string
	Labels    string
	From      object.Ref // --from pod/X
}

// Needs are the reads that are still worth doing, given what the view holds:
// the plugin reads them, indexes again and asks again, until nothing is new.
// An empty view gives the first round.
func Needs(v *index.View, ask Ask) ([]source.Query, []source.LogQuery) { return nil, nil }

// Selected are the Services of the view that were asked about, in order, and
// the names of those that do not exist (or cannot be seen: the view's Gaps say).
func Selected(v *index.View, ask Ask) (found, absent []object.Ref) { return nil, nil }
