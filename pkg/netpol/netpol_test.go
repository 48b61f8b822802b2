package netpol

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/scheme"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// world is namespace shop (team=red) with pod web (app=web, port http 8080,
// metrics 9090, dns 53/UDP) and pod api (app=api), namespace ops (team=blue)
// with pod spy (app=api), and a namespace dark that was not seen, with pod owl.
type world struct {
	policies []string // YAML of metadata and spec
	kinds    []source.Kind
	extra    []source.Object
	unlisted bool
}

func (w world) view(t testing.TB) *index.View {
	t.Helper()
	store := source.NewStore(time.Unix(1e9, 0))
	store.SetKinds(append(scheme.Kinds(), w.kinds...), nil)
	for _, p := range w.policies {
		var np networkingv1.NetworkPolicy
		if err := yaml.UnmarshalStrict([]byte(p), &np); err != nil {
			t.Fatal(err)
		}
		if np.Namespace == "" {
			np.Namespace = "shop"
		}
		store.Put(Kind(), &np)
	}
	for name, team := range map[string]string{"shop": "red", "ops": "blue"} {
		store.Put(schema.GroupKind{Kind: "Namespace"}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": team, corev1.LabelMetadataName: name}}})
	}
	for _, o := range w.extra {
		store.Put(o.GetObjectKind().GroupVersionKind().GroupKind(), o)
	}
	if !w.unlisted {
		store.Cover(source.Query{Kind: Kind()})
	}
	return index.New(store.Contents())
}

func pod(namespace, name, app, ip string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name), Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "c", Ports: []corev1.ContainerPort{
				{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090, Protocol: corev1.ProtocolTCP}, {Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP},
			}}},
			InitContainers: []corev1.Container{
				{Name: "setup", Ports: []corev1.ContainerPort{{Name: "setup", ContainerPort: 7000}}},
				{Name: "mesh", RestartPolicy: new(corev1.ContainerRestartPolicyAlways), Ports: []corev1.ContainerPort{{Name: "mesh", ContainerPort: 15000}}},
			},
		},
		Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: ip}}},
	}
}

var (
	web = pod("shop", "web", "web", "10.244.1.3")
	api = pod("shop", "api", "api", "10.244.1.4")
	spy = pod("ops", "spy", "api", "10.244.2.9")
	owl = pod("dark", "owl", "api", "10.244.3.1")
)

func onHost(p *corev1.Pod) *corev1.Pod {
	p = p.DeepCopy()
	p.Spec.HostNetwork = true
	return p
}

func policy1(spec string) []string {
	return []string{"metadata: {name: p}\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ")}
}

var http = Port{Number: 8080}

func TestDecide(t *testing.T) {
	deny := policy1("podSelector: {}")
	for name, c := range map[string]struct {
		world world
		q     Question
		want  Value
		doubt Doubt
		rule  string
	}{
		"no policy: allowed": {world{}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, ""},
		"a policy of another namespace is not about the pod":           {world{policies: []string{"metadata: {name: p, namespace: ops}\nspec: {podSelector: {}}"}}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, ""},
		"a policy that selects other pods is not about the pod":        {world{policies: policy1("podSelector: {matchLabels: {app: other}}")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, ""},
		"an empty podSelector selects every pod":                       {world{policies: deny}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress"},
		"no policyTypes means ingress":                                 {world{policies: deny}, Question{Server: web, Port: http}, Denied, Certain, "spec.ingress"},
		"no policyTypes and egress rules mean egress too":              {world{policies: []string{"metadata: {name: p}\nspec: {podSelector: {matchLabels: {app: api}}, egress: [{ports: [{port: 53, protocol: UDP}]}]}"}}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.egress[0].ports"},
		"policyTypes Egress alone does not isolate for ingress":        {world{policies: policy1("podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, ""},
		"egress of the client is asked of the client's namespace":      {world{policies: []string{"metadata: {name: p, namespace: ops}\nspec: {podSelector: {}, policyTypes: [Egress]}"}}, Question{Client: spy, Server: web, Port: http}, Denied, Certain, "spec.egress"},
		"an empty rule admits all":                                     {world{policies: policy1("podSelector: {}\ningress: [{}]")}, Question{Client: spy, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"policies add up":                                              {world{policies: append(policy1("podSelector: {}"), "metadata: {name: q}\nspec: {podSelector: {matchLabels: {app: web}}, ingress: [{}]}")}, Question{Client: spy, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"a podSelector alone is of the policy's namespace":             {world{policies: policy1("podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]")}, Question{Client: spy, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"a podSelector admits in the same namespace":                   {world{policies: policy1("podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"a namespaceSelector admits all pods of the namespace":         {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]")}, Question{Client: spy, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"an empty namespaceSelector admits every pod":                  {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {}}]}]")}, Question{Client: owl, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"both selectors in one peer must hold":                         {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}]}]")}, Question{Client: spy, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"two peers: one is enough, and it is named":                    {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {team: green}}}, {podSelector: {matchLabels: {app: api}}}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[1]"},
		"a namespace whose labels were not seen: unknown":              {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]")}, Question{Client: owl, Server: web, Port: http}, Unknown, Namespace, "spec.ingress[0].from[0]"},
		"the name of an unseen namespace is known":                     {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dark}}}]}]")}, Question{Client: owl, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"another name than the unseen namespace's: denied":             {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop, team: red}}}]}]")}, Question{Client: owl, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"matchExpressions":                                             {world{policies: policy1("podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}\ningress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}}]}]")}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"the port must fit":                                            {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 80}]}]")}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].ports"},
		"one of the ports is enough":                                   {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 80}, {port: 8080}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"the protocol must fit, and is TCP where none is written":      {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 8080}]}]")}, Question{Client: api, Server: web, Port: Port{Number: 8080, Protocol: corev1.ProtocolUDP}}, Denied, Certain, "spec.ingress[0].ports"},
		"a protocol without a port is every port of it":                {world{policies: policy1("podSelector: {}\ningress: [{ports: [{protocol: TCP}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"a named port is the server's":                                 {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: http}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"a named port of a sidecar":                                    {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: mesh}]}]")}, Question{Client: api, Server: web, Port: Port{Number: 15000}}, Allowed, Certain, "spec.ingress[0]"},
		"a named port that leads elsewhere: denied":                    {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: metrics}]}]")}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].ports"},
		"a named port of an init container does not count: unknown":    {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: setup}]}]")}, Question{Client: api, Server: web, Port: http}, Unknown, NamedPort, "spec.ingress[0].ports[0]"},
		"a named port that the pod does not declare: unknown":          {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: web}]}]")}, Question{Client: api, Server: web, Port: http}, Unknown, NamedPort, "spec.ingress[0].ports[0]"},
		"a question by name":                                           {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 53, protocol: UDP}]}]")}, Question{Client: api, Server: web, Port: Port{Name: "dns", Protocol: corev1.ProtocolUDP}}, Allowed, Certain, "spec.ingress[0]"},
		"a question by a name that is not declared: unknown":           {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 53}]}]")}, Question{Client: api, Server: web, Port: Port{Name: "nope"}}, Unknown, NamedPort, "spec.ingress[0].ports[0]"},
		"a range of ports includes its end":                            {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 8000, endPort: 8080}]}]")}, Question{Client: api, Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"a range of ports ends":                                        {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 8000, endPort: 8079}]}]")}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].ports"},
		"a range from a name is malformed: unknown":                    {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: http, endPort: 8081}]}]")}, Question{Client: api, Server: web, Port: http}, Unknown, Malformed, "spec.ingress[0].ports[0]"},
		"an ipBlock admits an address from outside":                    {world{policies: policy1("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]")}, Question{ClientIP: "203.0.113.7", Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"except is taken out":                                          {world{policies: policy1("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.0/28]}}]}]")}, Question{ClientIP: "203.0.113.7", Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"an IPv6 ipBlock":                                              {world{policies: policy1("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]")}, Question{ClientIP: "2001:db8::1", Server: web, Port: http}, Allowed, Certain, "spec.ingress[0].from[0]"},
		"an ipBlock that contains a pod: unknown":                      {world{policies: policy1("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")}, Question{Client: api, Server: web, Port: http}, Unknown, IPBlock, "spec.ingress[0].from[0]"},
		"an ipBlock that does not contain the pod":                     {world{policies: policy1("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]")}, Question{Client: api, Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"a server that is no pod, by its address":                      {world{policies: policy1("podSelector: {}\negress: [{to: [{ipBlock: {cidr: 169.254.20.10/32}}]}]")}, Question{Client: api, ServerIP: "169.254.20.10", Port: http}, Allowed, Certain, "spec.egress[0].to[0]"},
		"selectors do not select a server that is no pod":              {world{policies: policy1("podSelector: {}\negress: [{to: [{namespaceSelector: {}}]}]")}, Question{Client: api, ServerIP: "169.254.20.10", Port: http}, Denied, Certain, "spec.egress[0].to"},
		"an address has no names for ports: unknown":                   {world{policies: policy1("podSelector: {}\negress: [{ports: [{port: http}]}]")}, Question{Client: api, ServerIP: "169.254.20.10", Port: http}, Unknown, NamedPort, "spec.egress[0].ports[0]"},
		"selectors do not select addresses from outside":               {world{policies: policy1("podSelector: {}\ningress: [{from: [{namespaceSelector: {}}]}]")}, Question{ClientIP: "203.0.113.7", Server: web, Port: http}, Denied, Certain, "spec.ingress[0].from"},
		"anybody: some may, others may not":                            {world{policies: policy1("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]")}, Question{Server: web, Port: http}, Unknown, AnySource, "spec.ingress[0].from[0]"},
		"anybody: nobody may on this port":                             {world{policies: policy1("podSelector: {}\ningress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]")}, Question{Server: web, Port: http}, Denied, Certain, "spec.ingress"},
		"anybody: everybody may":                                       {world{policies: policy1("podSelector: {}\ningress: [{ports: [{port: 8080}]}]")}, Question{Server: web, Port: http}, Allowed, Certain, "spec.ingress[0]"},
		"a pod on the host network that a policy selects: unknown":     {world{policies: deny}, Question{Client: api, Server: onHost(web), Port: http}, Unknown, HostNetwork, ""},
		"a pod on the host network that no policy selects: allowed":    {world{}, Question{Client: api, Server: onHost(web), Port: http}, Allowed, Certain, ""},
		"a client on the host network: unknown where selectors decide": {world{policies: policy1("podSelector: {matchLabels: {app: web}}\ningress: [{from: [{podSelector: {}}]}]")}, Question{Client: onHost(api), Server: web, Port: http}, Unknown, HostNetwork, "spec.ingress[0].from[0]"},
		"a pod cannot be cut off from itself":                          {world{policies: deny}, Question{Client: web, Server: web, Port: http}, Allowed, Certain, ""},
		"policies that were not listed: unknown, though one was seen":  {world{policies: deny, unlisted: true}, Question{Client: api, Server: web, Port: http}, Unknown, NotSeen, ""},
		"no server: unknown":                                           {world{}, Question{Client: api, Port: http}, Unknown, NotSeen, ""},
		"the plugin's own kinds, not read: unknown": {world{policies: deny, kinds: []source.Kind{{Group: "cilium.io", Version: "v2", Kind: "CiliumNetworkPolicy", Resource: "ciliumnetworkpolicies", Namespaced: true}}},
			Question{Client: api, Server: web, Port: http}, Unknown, OwnKinds, "spec.ingress"},
		"a policy of the plugin's own: unknown": {world{extra: []source.Object{&unstructured.Unstructured{Object: map[string]any{"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": map[string]any{"name": "a"}}}}},
			Question{Client: api, Server: web, Port: http}, Unknown, OwnKinds, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(c.world.view(t), c.q)
			if got.Value != c.want || got.Doubt != c.doubt || got.Rule != c.rule {
				t.Errorf("got %s (%s) by %q, want %s (%s) by %q\n%s", got.Value, got.Doubt, got.Rule, c.want, c.doubt, c.rule, got.Why)
			}
			if got.Why == "" || (got.Value == Unknown) != (got.Doubt != Certain) {
				t.Errorf("an answer without a reason: %+v", got)
			}
		})
	}
}

func TestWhoIsRefused(t *testing.T) {
	w := world{policies: policy1("podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 8080}]}]")}
	got := Decide(w.view(t), Question{Client: api, Server: web, Port: http})
	if !got.PortAdmitted || got.Policy.Name != "p" || !strings.Contains(got.Why, "from pod shop/api") {
		t.Errorf("%+v", got)
	}
	got = Decide(w.view(t), Question{Client: api, Server: web, Port: Port{Number: 9090}})
	if got.PortAdmitted {
		t.Errorf("%+v", got)
	}
	cilium := world{policies: policy1("podSelector: {}"), kinds: []source.Kind{{Group: "cilium.io", Kind: "CiliumNetworkPolicy"}}}
	if got := Decide(cilium.view(t), Question{Client: api, Server: web, Port: http}); got.Otherwise != Denied {
		t.Errorf("what NetworkPolicies alone say is lost: %+v", got)
	}
}

// FuzzDecide: whatever a dump holds, there is an answer, and always the same.
func FuzzDecide(f *testing.F) {
	f.Add("podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [x]}}], ports: [{port: http, endPort: 3}]}]", "app", "10.0.0.1", int32(80), "http")
	f.Add("podSelector: {matchExpressions: [{key: '', operator: Nope}]}\negress: [{to: [{namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}]}]", "", "::", int32(-1), "")
	f.Fuzz(func(t *testing.T, spec, label, ip string, port int32, name string) {
		np := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "shop"}}
		if yaml.Unmarshal([]byte(spec), &np.Spec) != nil {
			return
		}
		store := source.NewStore(time.Unix(1e9, 0))
		store.Put(Kind(), np)
		store.Cover(source.Query{Kind: Kind()})
		v := index.New(store.Contents())
		server := pod("shop", "web", label, ip)
		for _, q := range []Question{
			{Server: server, Port: Port{Number: port, Name: name}},
			{Server: server, ClientIP: ip, Port: Port{Number: port}},
			{Server: server, Client: api, Port: Port{Name: name, Protocol: corev1.ProtocolUDP}},
			{Server: api, Client: server, Port: Port{Number: port}},
		} {
			first, second := Decide(v, q), Decide(v, q)
			if first.Value != second.Value || first.Why != second.Why || first.Rule != second.Rule {
				t.Errorf("two answers to one question: %+v, %+v", first, second)
			}
			if (first.Value == Unknown) != (first.Doubt != Certain) {
				t.Errorf("unknown without a doubt, or the reverse: %+v", first)
			}
		}
	})
}
