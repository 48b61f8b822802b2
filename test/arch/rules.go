// Package arch holds the rules of the house as tests. Each rule says why it is
// there; whoever breaks one is told the way that leads to the offence.
package arch

const module = "github.com/leadsman-dev/leadsman/"

// rule forbids rooms to import packages. A room is a folder of the module; one
// that ends in /* stands for the folders directly below it. Never are import
// paths and all that is below them; a room of the house starts with "pkg/",
// "plugins/" or "cmd/". A package that the room itself is in is not meant.
type rule struct {
	rooms  []string
	never  []string
	except []string // of never
	direct bool     // only what the room itself imports; otherwise through any chain
	why    string
}

var judges = []string{
	"pkg/index", "pkg/health", "pkg/relation", "pkg/netpol", "pkg/tree", "pkg/endpoints", "pkg/rollout", "pkg/rollout/*", "pkg/dns", "pkg/report",
}

var renderers = []string{"pkg/render/*"}

func importRules() []rule {
	return []rule{
		{
			rooms: append([]string{"pkg/object", "pkg/finding", "pkg/source", "pkg/source/snapshot", "pkg/scheme", "pkg/collect"}, judges...),
			never: []string{"k8s.io/client-go", "k8s.io/cli-runtime", "k8s.io/kubectl"},
			why:   "a dump is judged without a cluster, and a judgement must not be able to ask one",
		},
		{
			rooms: judges, direct: true,
			never: []string{"os", "io/fs", "net", "net/http", "os/exec", "syscall", "math/rand", "math/rand/v2", "crypto/rand", "path/filepath", "log"},
			// Addresses are compared and parsed, which asks nobody.
			except: []string{"net/netip", "net/url"},
			why:    "a judgement is a pure function of facts: the same facts give the same words, anywhere and always",
		},
		{rooms: judges, never: []string{"pkg/term", "pkg/render", "pkg/cli", "plugins"}, why: "a judgement does not know how it will be shown"},
		{rooms: judges, never: []string{"pkg/source/live", "pkg/source/snapshot", "pkg/probe", "pkg/collect"}, why: "data moves to the right only: facts are collected before they are judged"},
		{rooms: []string{"pkg/tree"}, never: []string{"pkg/endpoints", "pkg/rollout", "pkg/dns"}, why: "what two judges share belongs to a floor below both"},
		{rooms: []string{"pkg/endpoints"}, never: []string{"pkg/tree", "pkg/rollout", "pkg/dns"}, why: "what two judges share belongs to a floor below both"},
		{rooms: []string{"pkg/rollout", "pkg/rollout/*"}, never: []string{"pkg/tree", "pkg/endpoints", "pkg/dns"}, why: "what two judges share belongs to a floor below both"},
		{rooms: []string{"pkg/dns"}, never: []string{"pkg/tree", "pkg/endpoints", "pkg/rollout"}, why: "what two judges share belongs to a floor below both"},

		{rooms: []string{"pkg/object"}, never: []string{"pkg", "plugins"}, why: "identity is the lowest floor"},
		{rooms: []string{"pkg/redact"}, never: []string{"pkg", "plugins", "k8s.io"}, why: "what is secret in a text is asked on every floor, so it knows none"},
		{rooms: []string{"pkg/finding"}, never: []string{"pkg", "plugins"}, except: []string{"pkg/object"}, why: "what a finding is does not depend on who finds it"},
		{rooms: []string{"pkg/report"}, never: []string{"pkg", "plugins"}, except: []string{"pkg/object", "pkg/finding", "pkg/redact"}, why: "the model is what all judges and all renderers agree on"},
		{rooms: []string{"pkg/source"}, never: []string{"pkg", "plugins"}, except: []string{"pkg/object", "pkg/redact"}, why: "where facts come from does not depend on what is made of them"},
		{rooms: []string{"pkg/source/live", "pkg/source/snapshot", "pkg/probe"}, never: judges, why: "a source reports facts and judges nothing"},
		{rooms: []string{"pkg/act"}, never: append([]string{"pkg/render", "pkg/term", "pkg/cli", "plugins", "github.com/spf13/cobra"}, judges...), why: "whoever changes a cluster does as it is told: what to do is judged elsewhere and shown elsewhere"},
		{
			rooms: append([]string{"pkg/object", "pkg/finding", "pkg/source", "pkg/source/live", "pkg/source/snapshot", "pkg/scheme", "pkg/collect", "pkg/probe", "pkg/cli", "pkg/term"}, append(renderers, judges...)...),
			never: []string{"pkg/act"},
			why:   "only a plugin may have a cluster changed, and only when its user said so",
		},
		{rooms: []string{"pkg/health"}, never: []string{"pkg/relation", "pkg/netpol"}, why: "how one object is does not depend on how it hangs together with others"},

		{rooms: renderers, never: append([]string{"pkg/source", "pkg/scheme", "k8s.io/client-go", "k8s.io/api", "k8s.io/cli-runtime"}, without(judges, "pkg/report")...), why: "a renderer shows a report; what it would look up, the report must say"},
		{rooms: renderers, direct: true, never: []string{"os", "net", "net/http", "os/exec", "syscall"}, except: []string{"net/url"}, why: "a renderer writes to the writer that it is given"},

		{rooms: []string{"pkg/source/live"}, never: []string{"github.com/spf13/cobra", "pkg/render", "pkg/term"}, why: "the cluster's source serves any caller, not only a command line"},
		{rooms: []string{"pkg/cli"}, never: append([]string{"pkg/render", "plugins"}, without(judges, "pkg/report")...), why: "what all plugins share knows no question and no answer"},
		{rooms: []string{"pkg/term"}, never: []string{"k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go", "pkg", "plugins"}, why: "a terminal knows nothing of Kubernetes"},
		{
			rooms: []string{"plugins/*"}, direct: true,
			never: []string{"os", "net/http", "os/exec", "syscall", "log", "k8s.io/client-go", "flag"},
			why:   "a plugin only wires: streams, files and clients come from pkg/cli, so that a test can give its own",
		},
		{rooms: []string{"plugins/*"}, never: []string{"plugins"}, why: "what two plugins share belongs to pkg"},

		{
			rooms: []string{"cmd/*"},
			never: []string{"html/template", "k8s.io/kubectl/pkg/util/completion", "k8s.io/kubectl/pkg/cmd", "testing", "net/http/pprof", "github.com/spf13/cobra/doc", "github.com/stretchr/testify", "github.com/rogpeppe/go-internal"},
			why:   "each costs megabytes in the binary or milliseconds before main starts",
		},
	}
}

func without(all []string, one string) []string {
	var rest []string
	for _, s := range all {
		if s != one {
			rest = append(rest, s)
		}
	}
	return rest
}
