package dns

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"

	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/source"
)

// Corefile is a server's configuration, read.
type Corefile struct {
	Object   object.Ref // the ConfigMap
	Key      string
	Text     string
	Blocks   []Block
	Hash     string // what CoreDNS logs and reports of it; "" where parts are not known
	Err      error  // a syntax error: CoreDNS would not start with it
	ErrLine  int
	Missing  []string // imports that are not in the ConfigMaps
	Unknowns []string // variables whose value is not known
}

// Block is one server block.
type Block struct {
	Zones   []BlockZone
	Line    int
	Plugins []Directive // in the order in which CoreDNS runs them
}

// BlockZone is one address of a server block: "cluster.local:53".
type BlockZone struct {
	Zone      string // lower case, with the trailing dot
	Port      string // "53" unless given
	Transport string // "dns", "tls", "https", …
}

// Directive is one plugin with its arguments and the lines of its block.
type Directive struct {
	Name string
	Line int
	File string // of an import; "" is the Corefile itself
	Args []string
	Sub  []Property
}

// Property is one line of a plugin's block.
type Property struct {
	Line int
	Args []string
}

// property is the arguments of the first line with this name.
func (d *Directive) property(name string) ([]string, bool) {
	for _, p := range d.Sub {
		if p.Args[0] == name {
			return p.Args[1:], true
		}
	}
	return nil, false
}

// pluginOrder is the order that is compiled into CoreDNS (plugin.cfg of
// 1.15), whatever the order in the file.
var pluginOrder = strings.Fields(`root metadata geoip cancel proxyproto quic grpc_server https https3 timeouts multisocket reload
	nsid bufsize bind debug trace ready health pprof shed prometheus errors log dnstap local dns64 siit any chaos loadbalance tsig
	rewrite autopath acl cache header dnssec tls minimal template transfer dynupdate hosts route53 azure clouddns k8s_external kubernetes file auto
	secondary etcd loop forward grpc erratic whoami on sign view nomad`)

// Sources are the files that a server sees, and its variables.
type Sources struct {
	Path  string            // of the Corefile in the container
	Files map[string]string // path in the container → content, of all mounted ConfigMaps
	Env   func(string) (string, bool)
}

// ParseCorefile reads a Corefile without touching disk or environment.
func ParseCorefile(s Sources) *Corefile {
	r := &reader{file: s.Path, files: s.Files, env: s.Env}
	parsed, err := r.parse()
	c := &Corefile{Text: s.Files[s.Path], Err: err, Missing: distinct(r.missing), Unknowns: distinct(r.unknown)}
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		c.ErrLine = syntax.line
		return c
	}
	if len(c.Missing) == 0 && len(c.Unknowns) == 0 {
		c.Hash = configHash(parsed)
	}
	for _, b := range parsed {
		c.Blocks = append(c.Blocks, readBlock(b, lex(c.Text)))
	}
	c.checkPlugins()
	c.checkZones()
	return c
}

// checkPlugins finds what is spelt as a plugin and is none: CoreDNS does not
// start with it. A plugin that was compiled in specially is told by its
// distance from all known names.
func (c *Corefile) checkPlugins() {
	for _, b := range c.Blocks {
		for _, d := range b.Plugins {
			if slices.Contains(pluginOrder, d.Name) || c.Err != nil {
				continue
			}
			c.Err, c.ErrLine = &syntaxError{line: d.Line, text: "unknown directive " + d.Name}, d.Line
			if !nearPlugin(d.Name) {
				c.Err, c.ErrLine = nil, 0
				c.Unknowns = append(c.Unknowns, "plugin "+d.Name)
			}
		}
	}
}

func readBlock(b caddyfile.ServerBlock, all []caddyfile.Token) Block {
	out := Block{}
	for _, k := range b.Keys {
		out.Zones = append(out.Zones, zonesOf(k)...)
	}
	for _, name := range sortedKeys(b.Tokens) {
		out.Plugins = append(out.Plugins, readDirectives(name, b.Tokens[name])...)
	}
	slices.SortStableFunc(out.Plugins, func(a, b Directive) int { return place(a.Name) - place(b.Name) })
	for _, t := range all {
		if len(b.Keys) > 0 && strings.TrimSuffix(t.Text, ",") == b.Keys[0] && out.before(t.Line) && t.Line > out.Line {
			out.Line = t.Line
		}
	}
	return out
}

// before says whether a line is above all of the block's own plugins.
func (b *Block) before(line int) bool {
	return !slices.ContainsFunc(b.Plugins, func(d Directive) bool { return d.File == "" && d.Line < line })
}

func place(plugin string) int {
	if i := slices.Index(pluginOrder, plugin); i >= 0 {
		return i
	}
	return len(pluginOrder)
}

// readDirectives splits the tokens of one name into its occurrences, and each
// into lines.
func readDirectives(name string, tokens []caddyfile.Token) []Directive {
	var out []Directive
	depth := 0
	for i, t := range tokens {
		first := startsLine(tokens, i)
		switch {
		case depth == 0 && first:
			out = append(out, Directive{Name: name, Line: t.Line, File: t.File})
		case len(out) == 0:
		case t.Text == "{":
			depth++
		case t.Text == "}" && depth > 0:
			depth--
		case depth == 0:
			out[len(out)-1].Args = append(out[len(out)-1].Args, t.Text)
		default:
			d := &out[len(out)-1]
			if first || len(d.Sub) == 0 {
				d.Sub = append(d.Sub, Property{Line: t.Line})
			}
			last := &d.Sub[len(d.Sub)-1]
			last.Args = append(last.Args, t.Text)
		}
	}
	return out
}

// zonesOf reads an address of a server block: "tls://example.org:853",
// "10.0.0.0/24", ".:53".
func zonesOf(key string) []BlockZone {
	z := BlockZone{Transport: "dns", Port: "53"}
	if transport, rest, ok := strings.Cut(key, "://"); ok {
		z.Transport, key = transport, rest
		z.Port = map[string]string{"tls": "853", "quic": "853", "https": "443", "https3": "443", "grpc": "443"}[transport]
		if z.Port == "" {
			z.Port = "53"
		}
	}
	if i := strings.LastIndexByte(key, ':'); i >= 0 && i < len(key)-1 && strings.Trim(key[i+1:], "0123456789") == "" {
		z.Port, key = key[i+1:], key[:i]
	}
	var out []BlockZone
	for _, name := range originsOf(key) {
		z.Zone = name
		out = append(out, z)
	}
	return out
}

// originsOf are the zones of one word, which may be a network.
func originsOf(word string) []string {
	word = strings.TrimPrefix(word, "dns://")
	p, err := netip.ParsePrefix(word)
	if err != nil {
		return []string{strings.ToLower(fqdn(strings.TrimSuffix(word, ".")))}
	}
	return reverseZones(p)
}

// reverseZones are the zones that cover a network: one at the label at or
// above its size, or several where it falls between (coredns plugin/pkg/cidr).
func reverseZones(p netip.Prefix) []string {
	step := 8
	if p.Addr().Is6() {
		step = 4
	}
	p = p.Masked()
	size := (p.Bits() + step - 1) / step * step
	count := 1 << (size - p.Bits())
	var out []string
	for i := range count {
		b := p.Addr().AsSlice()
		if size > 0 {
			last := (size - 1) / 8
			shift := 8 - (size - last*8)
			b[last] += byte(i << shift)
		}
		addr, _ := netip.AddrFromSlice(b)
		full := strings.SplitAfter(reverseName(addr), ".")
		labels := addr.BitLen() / step
		out = append(out, strings.Join(full[labels-size/step:], ""))
	}
	return out
}

// Serving are the blocks that may answer a name on a port, in the order of
// the file: those of the longest zone that holds the name. Several differ by
// their view.
func (c *Corefile) Serving(name, port string) []*Block {
	best := ""
	var found []*Block
	for i := range c.Blocks {
		for _, z := range c.Blocks[i].Zones {
			if z.Port != port || z.Transport != "dns" || !within(z.Zone, name) || len(z.Zone) < len(best) {
				continue
			}
			if len(z.Zone) > len(best) {
				best, found = z.Zone, nil
			}
			found = append(found, &c.Blocks[i])
		}
	}
	return found
}

// plugin is the first directive of a name.
func (b *Block) plugin(name string) *Directive {
	for i := range b.Plugins {
		if b.Plugins[i].Name == name {
			return &b.Plugins[i]
		}
	}
	return nil
}

func (b *Block) zones() []string {
	var out []string
	for _, z := range b.Zones {
		out = append(out, z.Zone)
	}
	return distinct(out)
}

// origins are the zones of a plugin: its arguments, or else the block's.
func (b *Block) origins(args []string) []string {
	if len(args) == 0 {
		return b.zones()
	}
	var out []string
	for _, a := range args {
		out = append(out, originsOf(a)...)
	}
	return out
}

// longest is the longest of the zones that holds the name.
func longest(zones []string, name string) string {
	best := ""
	for _, z := range zones {
		if within(z, name) && len(z) > len(best) {
			best = z
		}
	}
	return best
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func nearPlugin(name string) bool { return len(source.Close(pluginOrder, name)) > 0 }
