package object

import "encoding/json"

// wire is the form in which documents name an object.
type wire struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// MarshalJSON writes {apiVersion, kind, namespace, name}.
func (r Ref) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{r.APIVersion(), r.Kind, r.Namespace, r.Name})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Ref) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*r = New(w.APIVersion, w.Kind, w.Namespace, w.Name)
	return nil
}
