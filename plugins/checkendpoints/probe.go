package checkendpoints

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/leadsman-dev/leadsman/pkg/cli"
	"github.com/leadsman-dev/leadsman/pkg/endpoints"
	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/probe"
	"github.com/leadsman-dev/leadsman/pkg/report"
)

// asker turns a first judgement into live questions, and their answers into
// observations.
type asker struct {
	prober   *probe.Prober
	patience time.Duration
	pods     bool       // ask the pods themselves
	through  object.Ref // the client pod of the real path; zero: it is not tried
	now      func() time.Time
	put      map[puzzle]func(context.Context) answer
}

// puzzle is what is asked once, however many Services want to know.
type puzzle struct {
	probe  endpoints.Probe
	pod    object.Ref // the server
	host   string     // of a path
	number int32
}

type answer struct {
	probe.Result
	listens []endpoints.Listener
}

func newAsker(env *cli.Env, o *options) *asker {
	return &asker{
		prober: probe.New(env.Config.ToRESTConfig), patience: o.patience, pods: o.probe, through: o.through, now: env.Now,
		put: map[puzzle]func(context.Context) answer{},
	}
}

// question is one observation to be made, and how.
type question struct {
	about endpoints.Observation
	put   func(context.Context) answer
	turn  int // the first pod of each Service comes before the second of any
}

// tooLate is the detail of what was not asked.
const tooLate = "not asked: the time was up"

// turns is how many time-outs in a row all questions together may take.
const turns = 12

// ask puts all questions in parallel and says how many were left when the time
// was up. Only TCP can be asked: silence proves nothing about UDP.
func (a *asker) ask(ctx context.Context, v *index.View, r *report.Report) (observations []endpoints.Observation, left int) {
	var questions []question
	for _, s := range r.Services {
		if a.pods {
			questions = append(questions, a.ofPods(v, s)...)
		}
		if a.through.Name != "" {
			questions = append(questions, a.ofPaths(v, s)...)
		}
	}
	sort.SliceStable(questions, func(x, y int) bool { return questions[x].turn < questions[y].turn })
	all, cancel := context.WithTimeout(ctx, turns*a.patience)
	defer cancel()
	observations = make([]endpoints.Observation, len(questions))
	numbers := make([]int, len(questions))
	for i := range numbers {
		numbers[i] = i
	}
	probe.Each(all, a.patience, numbers, func(ctx context.Context, i int) probe.Result {
		answer := questions[i].put(ctx)
		if all.Err() != nil { // its silence is ours
			answer.Result = probe.Result{Outcome: probe.Gone, Detail: tooLate}
		}
		o := questions[i].about
		o.Outcome, o.Detail, o.Listens, o.When = outcome(o.Probe, answer.Result), answer.Detail, answer.listens, a.now()
		observations[i] = o
		return answer.Result
	})
	for _, o := range observations {
		if o.Detail == tooLate {
			left++
		}
	}
	return observations, left
}

// ofPods asks each running pod behind the Service: through its IP, on its
// localhost, and for its listeners.
func (a *asker) ofPods(v *index.View, s *report.Service) []question {
	var questions []question
	for turn, e := range s.Endpoints {
		pod, ok := serverOf(v, e)
		if !ok {
			continue
		}
		about := endpoints.Observation{Service: s.Object, Port: e.ServicePort, Pod: *e.Pod, PodUID: pod.UID, Number: e.Port, Protocol: corev1.ProtocolTCP}
		for _, p := range []endpoints.Probe{endpoints.Proxy, endpoints.Forward, endpoints.Listeners} {
			about.Probe = p
			questions = append(questions, question{about, a.once(puzzle{probe: p, pod: about.Pod, number: numberOf(p, e.Port)}), turn})
		}
	}
	return distinct(questions)
}

// numberOf is the port that a probe is about: listeners are read for all.
func numberOf(p endpoints.Probe, port int32) int32 {
	if p == endpoints.Listeners {
		return 0
	}
	return port
}

// ofPaths connects from the client: to the Service's own addresses, and to each
// pod behind it.
func (a *asker) ofPaths(v *index.View, s *report.Service) []question {
	var questions []question
	about := endpoints.Observation{Service: s.Object, Probe: endpoints.Path, From: a.through, Protocol: corev1.ProtocolTCP}
	for turn, e := range s.Endpoints {
		pod, ok := serverOf(v, e)
		if !ok || e.Address == "" {
			continue
		}
		about.Port, about.Pod, about.PodUID, about.Number = e.ServicePort, *e.Pod, pod.UID, e.Port
		questions = append(questions, question{about, a.once(puzzle{probe: endpoints.Path, host: e.Address, number: e.Port}), turn})
	}
	about.Pod, about.PodUID = object.Ref{}, ""
	it, ok := v.Get(s.Object)
	svc, typed := it.Object.(*corev1.Service)
	if !ok || !typed {
		return distinct(questions)
	}
	for _, p := range svc.Spec.Ports {
		if p.Protocol != corev1.ProtocolTCP && p.Protocol != "" {
			continue
		}
		for _, ip := range svc.Spec.ClusterIPs {
			if ip != corev1.ClusterIPNone && ip != "" {
				about.Port, about.Number = portName(p), p.Port
				questions = append(questions, question{about, a.once(puzzle{probe: endpoints.Path, host: ip, number: p.Port}), 0})
			}
		}
	}
	return distinct(questions)
}

// serverOf is the pod of a row that can be asked.
func serverOf(v *index.View, e report.Endpoint) (*corev1.Pod, bool) {
	if e.Pod == nil || e.Port == 0 || e.Protocol != "" && e.Protocol != string(corev1.ProtocolTCP) {
		return nil, false
	}
	it, ok := v.Get(*e.Pod)
	pod, typed := it.Object.(*corev1.Pod)
	return pod, ok && typed && pod.Status.Phase == corev1.PodRunning
}

// distinct drops what is observed already: a dual-stack pod has two rows a port.
func distinct(questions []question) []question {
	type mark struct {
		probe  endpoints.Probe
		pod    object.Ref
		port   string
		number int32
	}
	seen := map[mark]bool{}
	return slices.DeleteFunc(questions, func(q question) bool {
		m := mark{q.about.Probe, q.about.Pod, q.about.Port, q.about.Number}
		again := seen[m] && q.about.Probe != endpoints.Path
		seen[m] = true
		return again
	})
}

// once asks a puzzle the first time and remembers its answer.
func (a *asker) once(p puzzle) func(context.Context) answer {
	if known, ok := a.put[p]; ok {
		return known
	}
	var mu sync.Mutex
	var known *answer
	a.put[p] = func(ctx context.Context) answer {
		mu.Lock()
		defer mu.Unlock()
		if known == nil {
			result := a.solve(ctx, p)
			known = &result
		}
		return *known
	}
	return a.put[p]
}

func (a *asker) solve(ctx context.Context, p puzzle) answer {
	target := probe.Target{Namespace: p.pod.Namespace, Pod: p.pod.Name, Port: int(p.number)}
	switch p.probe {
	case endpoints.Proxy:
		return answer{Result: a.prober.HTTP(ctx, target)}
	case endpoints.Forward:
		return answer{Result: a.prober.Forward(ctx, target)}
	case endpoints.Path:
		return answer{Result: a.prober.Dial(ctx, probe.Container{Namespace: a.through.Namespace, Pod: a.through.Name}, p.host, int(p.number))}
	}
	found, result := a.prober.Listeners(ctx, probe.Container{Namespace: p.pod.Namespace, Pod: p.pod.Name})
	listens := make([]endpoints.Listener, 0, len(found))
	for _, l := range found {
		listens = append(listens, endpoints.Listener{Address: l.Address.String(), Port: int32(l.Port)})
	}
	return answer{result, listens}
}

// outcome puts a result into the words of the judgement.
func outcome(p endpoints.Probe, r probe.Result) endpoints.Outcome {
	switch r.Outcome {
	case probe.Answered:
		switch {
		case p == endpoints.Listeners:
			return endpoints.Listed
		case r.TLS:
			return endpoints.AnsweredTLS
		}
		return endpoints.Answered
	case probe.Refused:
		return endpoints.Refused
	case probe.TimedOut:
		if p == endpoints.Listeners {
			return endpoints.Failed // the exec was slow; of the port it says nothing
		}
		return endpoints.TimedOut
	case probe.Forbidden:
		return endpoints.NotAllowed
	case probe.Gone:
		return endpoints.Failed
	}
	return endpoints.NoMeans
}

// portName is how rows and observations call a Service port.
func portName(p corev1.ServicePort) string {
	if p.Name != "" {
		return p.Name
	}
	return strconv.Itoa(int(p.Port))
}
