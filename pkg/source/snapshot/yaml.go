package snapshot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v2"
)

var errBomb = errors.New("the document grows out of proportion when its aliases are followed")

// toJSON turns one YAML document into JSON, no larger than some multiple of
// it: a few aliases can stand for gigabytes.
func toJSON(doc []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // of the YAML parser, on input no one foresaw
			out, err = nil, fmt.Errorf("cannot be parsed: %v", p)
		}
	}()
	var v any
	if err := yaml.Unmarshal(doc, &v); err != nil {
		return nil, err
	}
	w := &jsonWriter{limit: 16<<20 + 6*len(doc)}
	if err := w.value(v); err != nil {
		return nil, err
	}
	return w.out, nil
}

type jsonWriter struct {
	out   []byte
	limit int
}

func (w *jsonWriter) value(v any) error {
	if len(w.out) > w.limit {
		return errBomb
	}
	switch v := v.(type) {
	case nil:
		w.out = append(w.out, "null"...)
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case int:
		w.out = strconv.AppendInt(w.out, int64(v), 10)
	case int64:
		w.out = strconv.AppendInt(w.out, v, 10)
	case uint64:
		w.out = strconv.AppendUint(w.out, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%v is no JSON number", v)
		}
		w.out = strconv.AppendFloat(w.out, v, 'g', -1, 64)
	case string:
		w.text(v)
	case []any:
		return w.list(v)
	case map[any]any:
		return w.mapping(v)
	default:
		return fmt.Errorf("unexpected %T", v)
	}
	return nil
}

func (w *jsonWriter) list(v []any) error {
	w.out = append(w.out, '[')
	for i, e := range v {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.value(e); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return nil
}

// mapping writes keys in order, since two may turn into the same string and
// the last would win.
func (w *jsonWriter) mapping(v map[any]any) error {
	type entry struct {
		key   string
		value any
	}
	entries := make([]entry, 0, len(v))
	for k, e := range v {
		switch k.(type) {
		case string, int, int64, uint64, bool, float64:
			entries = append(entries, entry{fmt.Sprint(k), e})
		default:
			return fmt.Errorf("a key of type %T", k)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	w.out = append(w.out, '{')
	for i, e := range entries {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.text(e.key)
		w.out = append(w.out, ':')
		if err := w.value(e.value); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}

func (w *jsonWriter) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s)
			w.out = append(w.out, quoted...)
			return
		}
	}
	w.out = append(append(append(w.out, '"'), s...), '"')
}
