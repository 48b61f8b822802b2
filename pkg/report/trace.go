package report

import "github.com/leadsman-dev/leadsman/pkg/object"

// Trace is one name as one pod looks it up, step by step: trace-dns' own part
// of the document.
type Trace struct {
	Client     *object.Ref `json:"client,omitempty"` // the pod that asks
	Node       string      `json:"node,omitempty"`
	Name       string      `json:"name"`            // as it was asked for
	ASCII      string      `json:"ascii,omitempty"` // the form that is sent, where it differs from Name
	Domain     Known       `json:"domain"`          // the cluster domain: "cluster.local"
	Libc       Known       `json:"libc"`            // the resolver that Ladder belongs to
	ResolvConf *ResolvConf `json:"resolvConf,omitempty"`
	Path       []Hop       `json:"path,omitempty"`
	Ladder     []Rung      `json:"ladder,omitempty"`
	Resolvers  []Resolver  `json:"resolvers,omitempty"` // each resolver's own ladder, where there is more than one; the first is Ladder
	Grid       *Grid       `json:"grid,omitempty"`
	Corefile   *Excerpt    `json:"corefile,omitempty"`
	Cost       string      `json:"cost,omitempty"`  // "12 queries, 8 wasted; redis.shop.svc.cluster.local. makes it 2"
	Notes      []string    `json:"notes,omitempty"` // what cannot be seen from here, and why
	Learn      []Lesson    `json:"learn,omitempty"`
}

// Claim says how something is known.
type Claim string

// The claims.
const (
	Computed Claim = "computed" // from what the API server stores
	Observed Claim = "observed" // from an answer, a file or a program that was asked
	Unproven Claim = "unproven" // a default, or a guess that nothing contradicts
)

// Known is a value and how it is known.
type Known struct {
	Value string `json:"value"`
	Claim Claim  `json:"claim"`
	Why   string `json:"why,omitempty"` // "suffix of the search list in the pod's resolv.conf"
}

// ResolvConf is the client's resolv.conf.
type ResolvConf struct {
	Nameservers []string    `json:"nameservers,omitempty"`
	Search      []string    `json:"search,omitempty"`
	Options     []string    `json:"options,omitempty"`
	Claim       Claim       `json:"claim"`
	Why         string      `json:"why,omitempty"`       // "dnsPolicy ClusterFirst"
	Predicted   *ResolvConf `json:"predicted,omitempty"` // where the observed one differs from it
	Differs     []string    `json:"differs,omitempty"`   // each difference in words
}

// HopState is whether a step of the path works.
type HopState string

// The states of a hop: ✓ ✗ ?
const (
	HopOK      HopState = "ok"
	HopBroken  HopState = "broken"
	HopUnknown HopState = "unknown"
)

// Hop is one step of the way from the pod to what answers.
type Hop struct {
	Title  string      `json:"title"` // "pod backend-1", "10.96.0.10", "Service/kube-dns", "2 of 2 replicas ready"
	Object *object.Ref `json:"object,omitempty"`
	State  HopState    `json:"state"`
	Claim  Claim       `json:"claim"`
	Why    string      `json:"why,omitempty"`
}

// RungState is what becomes of one name of the ladder.
type RungState string

// The states of a rung.
const (
	RungSkipped RungState = "not asked"
	RungPassed  RungState = "passed"  // asked; the resolver goes on
	RungStops   RungState = "stops"   // asked; the lookup ends here, with the answer or without
	RungUnknown RungState = "unknown" // may be asked: an earlier answer is not known
)

// Rung is one name that the resolver sends, in the order in which it does.
type Rung struct {
	N         int          `json:"n"`
	Name      string       `json:"name"`            // absolute: "redis.default.svc.cluster.local."
	From      string       `json:"from,omitempty"`  // "search svc.cluster.local", "as is"
	Types     []string     `json:"types,omitempty"` // "A", "AAAA"
	State     RungState    `json:"state"`
	Answers   []RungAnswer `json:"answers,omitempty"` // one a type, in the order of Types
	By        string       `json:"by,omitempty"`      // the plugin that answers: "kubernetes"
	Line      int          `json:"line,omitempty"`    // of the Corefile
	Object    *object.Ref  `json:"object,omitempty"`  // where the record comes from
	Field     string       `json:"field,omitempty"`   // "spec.clusterIP"
	Agreement string       `json:"agreement,omitempty"`
	Why       string       `json:"why,omitempty"` // why the lookup stops or goes on
	Server    string       `json:"server,omitempty"`
}

// RungAnswer is the answer to one question.
type RungAnswer struct {
	Type     string   `json:"type"`
	Rcode    string   `json:"rcode"`             // "NOERROR", "NODATA", "NXDOMAIN", "SERVFAIL", "REFUSED", "TIMEOUT", "" where unknown
	Records  []string `json:"records,omitempty"` // "10.97.34.93", "CNAME db.example.com."
	Claim    Claim    `json:"claim"`
	Expected string   `json:"expected,omitempty"` // in words, where what was observed differs
}

// Resolver is the ladder of one libc.
type Resolver struct {
	Libc    string `json:"libc"`
	Ladder  []Rung `json:"ladder"`
	Outcome string `json:"outcome"` // "10.97.34.93", "not found", "depends on what example.com. answers"
	Queries int    `json:"queries"`
	Cost    string `json:"cost,omitempty"`
}

// Grid holds every replica's answer to every question side by side.
type Grid struct {
	Columns []GridColumn `json:"columns"`
	Rows    []GridRow    `json:"rows"`
}

// GridColumn is one question.
type GridColumn struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Expected string `json:"expected,omitempty"` // "10.97.34.93", "NXDOMAIN"; empty where it cannot be computed
}

// GridRow is one replica.
type GridRow struct {
	Replica    object.Ref `json:"replica"`
	Node       string     `json:"node,omitempty"`
	IP         string     `json:"ip,omitempty"`
	Ready      HopState   `json:"ready"`
	Version    string     `json:"version,omitempty"`
	ConfigHash string     `json:"configHash,omitempty"` // the first 12 digits
	Stale      bool       `json:"stale,omitempty"`      // runs another Corefile than the ConfigMap's
	Cells      []Cell     `json:"cells,omitempty"`      // one a column
	Error      string     `json:"error,omitempty"`      // why it could not be asked
}

// Cell is one answer.
type Cell struct {
	Text    string  `json:"text"`              // "10.97.34.93", "NXDOMAIN", "timed out"; "?" where not asked
	Deviant bool    `json:"deviant,omitempty"` // differs from what is expected or from the other replicas
	Seconds float64 `json:"seconds,omitempty"`
}

// Excerpt is the part of the Corefile that answers.
type Excerpt struct {
	Object object.Ref    `json:"object"`
	Key    string        `json:"key"` // of the ConfigMap: "Corefile"
	Lines  []ExcerptLine `json:"lines"`
}

// ExcerptLine is one line, with an arrow at the directive that answers.
type ExcerptLine struct {
	N     int    `json:"n"`
	Text  string `json:"text"`
	Arrow bool   `json:"arrow,omitempty"`
}
