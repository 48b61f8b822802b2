package dns

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

func (w *world) grid() *report.Grid {
	if len(w.seen.Answers) == 0 && len(w.seen.Replicas) == 0 {
		return nil
	}
	g := &report.Grid{}
	questions := w.askedQuestions()
	for _, q := range questions {
		e := w.expect(q)
		g.Columns = append(g.Columns, report.GridColumn{Name: q.Name, Type: string(q.Type), Expected: answerText(e.Rcode, e.Records)})
	}
	for _, r := range w.rowRefs() {
		g.Rows = append(g.Rows, w.row(r, questions))
	}
	return g
}

// rowRefs are all replicas: those that the objects show, and those that answered.
func (w *world) rowRefs() []object.Ref {
	var out []object.Ref
	add := func(r object.Ref) {
		if !slices.ContainsFunc(out, func(o object.Ref) bool { return o.Key() == r.Key() }) {
			out = append(out, r)
		}
	}
	for _, p := range w.replicas {
		add(podRef(p))
	}
	for _, r := range w.seen.Replicas {
		add(r.Pod)
	}
	for _, a := range w.seen.Answers {
		add(a.Pod)
	}
	slices.SortFunc(out, object.Compare)
	return out
}

func (w *world) row(r object.Ref, questions []Question) report.GridRow {
	row := report.GridRow{Replica: r, Ready: report.HopUnknown}
	for _, p := range w.replicas {
		if podRef(p).Key() == r.Key() {
			row.Node, row.IP, row.Ready = p.Spec.NodeName, p.Status.PodIP, report.HopBroken
			if podReady(p) {
				row.Ready = report.HopOK
			}
			row.Version = taggedVersion(p)
			if core := w.coreOf(p); core != nil && !w.startedOtherwise(p) {
				row.ConfigHash = short(core.Hash)
			}
		}
	}
	for _, s := range w.seen.Replicas {
		if s.Pod.Key() != r.Key() {
			continue
		}
		row.Version, row.ConfigHash, row.Error = cmp.Or(s.Version, row.Version), cmp.Or(short(s.ConfigHash), row.ConfigHash), s.Err
		row.Stale = w.stale(s)
		if s.Ready != nil {
			row.Ready = map[bool]report.HopState{true: report.HopOK, false: report.HopBroken}[*s.Ready]
		}
	}
	for _, q := range questions {
		cell := report.Cell{Text: "?"}
		c, _ := w.consensus(q)
		for _, a := range w.answers(q) {
			if a.Pod.Key() == r.Key() {
				cell = report.Cell{Text: a.text(), Seconds: a.Took.Seconds()}
				cell.Deviant = slices.ContainsFunc(c.deviant, func(d Answer) bool { return d.Pod.Key() == r.Key() }) || a.Err != ""
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// taggedVersion is CoreDNS' version by its image, for a server that was not
// asked for it.
func taggedVersion(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		if _, tag, ok := strings.Cut(c.Image[strings.LastIndexByte(c.Image, '/')+1:], "coredns:"); ok {
			tag, _, _ = strings.Cut(tag, "@")
			return strings.TrimPrefix(tag, "v")
		}
	}
	return ""
}
