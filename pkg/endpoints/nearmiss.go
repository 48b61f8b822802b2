package endpoints

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// pair is one label.
type pair struct{ key, value string }

func (p pair) String() string { return p.key + "=" + p.value }

// pairsOf are the pairs of a selector, by key.
func pairsOf(m map[string]string) []pair {
	pairs := make([]pair, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, pair{k, v})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	return pairs
}

// vocabulary is what the living pods of a namespace are labelled with. Near
// misses are looked up in it, by key, by value and by folded form: never by
// going over pods.
type vocabulary struct {
	values map[string][]string // key → its values
	keys   map[string][]string // value → the keys that have it
	folded map[string][]string // lower-case key → the keys
	byForm map[string][]string // key and digits → its values that differ in letters only
}

func (w *world) vocabulary(namespace string) *vocabulary {
	if w.vocabularies == nil {
		w.vocabularies = map[string]*vocabulary{}
		for _, it := range w.v.List(podKind, "") {
			if pod, ok := it.Object.(*corev1.Pod); ok && !ended(pod) {
				w.learnWords(pod)
			}
		}
		for _, voc := range w.vocabularies {
			voc.finish()
		}
	}
	if voc := w.vocabularies[namespace]; voc != nil {
		return voc
	}
	return &vocabulary{}
}

func (w *world) learnWords(pod *corev1.Pod) {
	voc := w.vocabularies[pod.Namespace]
	if voc == nil {
		voc = &vocabulary{values: map[string][]string{}, keys: map[string][]string{}, folded: map[string][]string{}, byForm: map[string][]string{}}
		w.vocabularies[pod.Namespace] = voc
	}
	for k, v := range pod.Labels {
		voc.values[k] = append(voc.values[k], v)
	}
}

func (voc *vocabulary) finish() {
	for k, values := range voc.values {
		slices.Sort(values)
		voc.values[k] = slices.Compact(values)
		lower := strings.ToLower(k)
		voc.folded[lower] = append(voc.folded[lower], k)
		for _, v := range voc.values[k] {
			voc.keys[v] = append(voc.keys[v], k)
			form := k + "\x00" + form(v)
			voc.byForm[form] = append(voc.byForm[form], v)
		}
	}
	for _, byWord := range []map[string][]string{voc.keys, voc.folded} {
		for _, words := range byWord {
			slices.Sort(words)
		}
	}
}

// form keeps the digits of a word: "web-1" and "web-2" are two names, and
// neither is a misspelling of the other.
func form(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, word)
}

// miss is a pair that pods carry instead of the one that the selector wants.
type miss struct {
	want, have pair
	name       string // the finding: label-case, label-typo, label-key-alias
}

// aliases are keys under which people write the name of an application.
func aliases() []string { return []string{"app", "app.kubernetes.io/name", "k8s-app", "run"} }

// near are the pairs of the vocabulary that a person may have meant by want,
// most likely first.
func (voc *vocabulary) near(want pair) []miss {
	var out []miss
	add := func(name string, have pair) {
		if have != want {
			out = append(out, miss{want, have, name})
		}
	}
	for _, k := range voc.folded[strings.ToLower(want.key)] {
		for _, v := range voc.values[k] {
			if strings.EqualFold(v, want.value) {
				add("label-case", pair{k, v})
			}
		}
	}
	for _, v := range voc.byForm[want.key+"\x00"+form(want.value)] {
		if misspelt(want.value, v) {
			add("label-typo", pair{want.key, v})
		}
	}
	for _, k := range voc.keys[want.value] {
		switch {
		case strings.EqualFold(k, want.key):
		case slices.Contains(aliases(), k) && slices.Contains(aliases(), want.key):
			add("label-key-alias", pair{k, want.value})
		case misspelt(want.key, k):
			add("label-typo", pair{k, want.value})
		}
	}
	return out
}

// misspelt allows two edits in a word, one in a short one, and none where
// hardly anything would remain. Words that differ in case only are another story.
func misspelt(want, have string) bool {
	shorter := min(len(want), len(have))
	allowed := 2
	switch {
	case shorter < 3 || len(want)+len(have) > 512:
		return false
	case shorter < 6:
		allowed = 1
	}
	if max(len(want), len(have))-shorter > allowed || strings.EqualFold(want, have) {
		return false
	}
	return source.Distance(want, have) <= allowed
}

// nearest is the best explanation of a selector that chooses nothing: one pair
// exchanged for a near one, or one pair left out.
func (c *subject) nearest() (best miss, pods []*corev1.Pod, found bool) {
	pairs := pairsOf(c.svc.Spec.Selector)
	if len(pairs) > 64 {
		return miss{}, nil, false
	}
	voc := c.vocabulary(c.svc.Namespace)
	for i, want := range pairs {
		for _, m := range voc.near(want) {
			if found && rankOf(m.name) >= rankOf(best.name) {
				continue
			}
			if m.name == "label-typo" && c.taken(m) {
				continue
			}
			if carriers := c.livingWith(without(pairs, i, &m.have)); len(carriers) > 0 {
				best, pods, found = m, carriers, true
			}
		}
	}
	if found || len(pairs) < 2 {
		return best, pods, found
	}
	for i, want := range pairs {
		carriers := c.livingWith(without(pairs, i, nil))
		if len(carriers) > len(pods) {
			best, pods, found = miss{want: want, name: "label-partial"}, carriers, true
		}
	}
	return best, pods, found
}

func rankOf(name string) int {
	return slices.Index([]string{"label-case", "label-typo", "label-key-alias", "label-partial"}, name)
}

func without(pairs []pair, skip int, instead *pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for i, p := range pairs {
		if i != skip {
			m[p.key] = p.value
		}
	}
	if instead != nil {
		m[instead.key] = instead.value
	}
	return m
}

// taken says that a short value close to the wanted one is another Service's:
// "api" is no misspelling of "app" where a Service chooses app=app.
func (c *subject) taken(m miss) bool {
	if len(m.have.value) >= 6 || m.want.key != m.have.key {
		return false
	}
	return slices.ContainsFunc(c.place(c.svc.Namespace).services, func(s *corev1.Service) bool {
		return s.Name != c.svc.Name && s.Spec.Selector[m.have.key] == m.have.value
	})
}

// livingWith are the living pods with these pairs. Many broken Services may ask
// for the same ones, so answers are kept.
func (c *subject) livingWith(pairs map[string]string) []*corev1.Pod {
	key := c.svc.Namespace + "\x00" + joinPairs(pairs)
	if pods, ok := c.shared[key]; ok {
		return pods
	}
	pods := slices.DeleteFunc(c.podsWith(c.svc.Namespace, pairs), ended)
	c.shared[key] = pods
	return pods
}

func joinPairs(m map[string]string) string {
	pairs := pairsOf(m)
	words := make([]string, len(pairs))
	for i, p := range pairs {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}
