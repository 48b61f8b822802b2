package endpoints

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/index"
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
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	return pairs
}

// vocabulary is what the living pods of a namespace are labelled with. Near
// misses are looked up in it, by key, by value and by folded form: never by
// going over pods.
type vocabulary struct {
	values map[string][]string // key → its values
	keys   map[string][]string // value → the keys that have it
	folded map[pair][]pair     // in lower case → as they are
	byForm map[pair]*lexicon   // key and digits → its values that differ in letters only
}

func (p pair) lower() pair { return pair{strings.ToLower(p.key), strings.ToLower(p.value)} }

func (w *world) vocabulary(namespace string) *vocabulary {
	if w.vocabularies == nil {
		w.vocabularies = map[string]*vocabulary{}
		for l := range w.v.Labels(podKind) {
			if w.lives(l) {
				w.learn(l)
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

// lives says whether a pod that has not ended carries a pair.
func (w *world) lives(l index.Label) bool {
	for it := range w.v.WithLabel(podKind, l.Namespace, l.Key, l.Value) {
		if pod, ok := it.Object.(*corev1.Pod); ok && !ended(pod) {
			return true
		}
	}
	return false
}

func (w *world) learn(l index.Label) {
	voc := w.vocabularies[l.Namespace]
	if voc == nil {
		voc = &vocabulary{values: map[string][]string{}, keys: map[string][]string{}, folded: map[pair][]pair{}, byForm: map[pair]*lexicon{}}
		w.vocabularies[l.Namespace] = voc
	}
	voc.values[l.Key] = append(voc.values[l.Key], l.Value)
}

func (voc *vocabulary) finish() {
	for _, k := range slices.Sorted(maps.Keys(voc.values)) {
		slices.Sort(voc.values[k])
		for _, v := range voc.values[k] {
			have := pair{k, v}
			folded, alike := have.lower(), pair{k, form(v)}
			voc.folded[folded] = append(voc.folded[folded], have)
			voc.keys[v] = append(voc.keys[v], k)
			if voc.byForm[alike] == nil {
				voc.byForm[alike] = &lexicon{}
			}
			voc.byForm[alike].words = append(voc.byForm[alike].words, v)
		}
	}
}

// unlabelledPods are the living pods of a namespace that nobody gave a label.
func (w *world) unlabelledPods(namespace string) []*corev1.Pod {
	p := w.place(namespace)
	if !p.looked {
		p.looked = true
		for _, it := range w.v.List(podKind, namespace) {
			if pod, ok := it.Object.(*corev1.Pod); ok && !ended(pod) && onlyMachineMade(pod.Labels) {
				p.bare = append(p.bare, pod)
			}
		}
	}
	return p.bare
}

func onlyMachineMade(labels map[string]string) bool {
	for k := range labels {
		if !machineMade(k) {
			return false
		}
	}
	return true
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
	for _, have := range voc.folded[want.lower()] {
		add("label-case", have)
	}
	for _, v := range voc.byForm[pair{want.key, form(want.value)}].near(want.value) {
		add("label-typo", pair{want.key, v})
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
// "api" is no misspelling of "app" where a Service chooses app=app, if this one's
// own name says so too.
func (c *subject) taken(m miss) bool {
	return m.short() && c.place(c.svc.Namespace).chosen()[m.have] && strings.Contains(c.svc.Name, m.want.value)
}

// short says that so few letters may as well be another word.
func (m miss) short() bool { return len(m.have.value) < 6 && m.want.key == m.have.key }

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
