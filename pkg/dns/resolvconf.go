package dns

import (
	"slices"
	"strconv"
	"strings"
)

// ResolvConf is what a resolv.conf says, whoever wrote it.
type ResolvConf struct {
	Nameservers []string
	Search      []string
	Options     []string // "ndots:5", "rotate"
	LongLine    bool     // the search line has 256 bytes or more: musl drops it
	Domain      string   // of a domain line, which glibc takes for the search list
}

// The limits of the kubelet (k8s.io/kubernetes pkg/apis/core/validation and
// pkg/kubelet/network/dns, formDNSSearchFitsLimits, formDNSNameserversFitsLimits).
const (
	maxNameservers   = 3
	maxSearches      = 32
	maxSearchEntry   = 253
	maxSearchChars   = 2048
	muslLine         = 256 // musl src/network/resolvconf.c: char line[256]
	muslSearch       = 256 // char search[256]
	defaultNdots     = 1
	clusterFirstDots = "ndots:5"
)

// ParseResolvConf reads a resolv.conf as the kubelet does: nameservers
// accumulate, the last search wins, options merge by name.
func ParseResolvConf(text string) ResolvConf {
	var c ResolvConf
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if i := strings.IndexAny(trimmed, "#;"); i == 0 {
			continue
		}
		f := strings.Fields(trimmed)
		if len(f) < 1 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if len(f) >= 2 {
				c.Nameservers = append(c.Nameservers, f[1])
			}
		case "search":
			c.Search = nil
			c.LongLine = len(strings.TrimRight(line, "\r\n"))+1 >= muslLine
			for _, s := range f[1:] {
				if s != "." {
					s = strings.TrimRight(s, ".")
				}
				if s != "" {
					c.Search = append(c.Search, s)
				}
			}
		case "domain":
			if len(f) >= 2 {
				c.Domain = strings.TrimRight(f[1], ".")
			}
		case "options":
			c.Options = mergeOptions(c.Options, f[1:])
		}
	}
	return c
}

// mergeOptions overrides options by name.
func mergeOptions(have, add []string) []string {
	out := slices.Clone(have)
	for _, o := range add {
		name, _, _ := strings.Cut(o, ":")
		at := slices.IndexFunc(out, func(h string) bool { n, _, _ := strings.Cut(h, ":"); return n == name })
		if at >= 0 {
			out[at] = o
		} else {
			out = append(out, o)
		}
	}
	return out
}

// Ndots is the number of dots from which a name is tried as it is first. An
// ndots without a number is ignored, and 15 is the most.
func (c ResolvConf) Ndots() int {
	for _, o := range c.Options {
		if v, ok := strings.CutPrefix(o, "ndots:"); ok {
			if n, err := strconv.Atoi(v); err == nil && n >= 0 {
				return min(n, 15)
			}
		}
	}
	return defaultNdots
}

// searchFor is the search list as one resolver sees it.
func (c ResolvConf) searchFor(libc Libc) []string {
	if libc == Musl && (c.LongLine || c.lineLength() >= muslLine) {
		return nil
	}
	if len(c.Search) == 0 && c.Domain != "" && libc != Busybox {
		return []string{c.Domain}
	}
	return c.Search
}

func (c ResolvConf) lineLength() int {
	if len(c.Search) == 0 {
		return 0
	}
	return len("search "+strings.Join(c.Search, " ")) + 1
}

// servers are those that a resolver asks: the first three.
func (c ResolvConf) servers() []string {
	return c.Nameservers[:min(len(c.Nameservers), maxNameservers)]
}

// differences are what two files do not share, as sets: the kubelet writes
// options in random order.
func differences(predicted, actual ResolvConf) []string {
	var out []string
	for _, d := range []struct {
		what         string
		want, actual []string
	}{
		{"nameserver", predicted.Nameservers, actual.Nameservers},
		{"search", predicted.Search, actual.Search},
		{"option", predicted.Options, actual.Options},
	} {
		for _, w := range d.want {
			if !slices.Contains(d.actual, w) {
				out = append(out, d.what+" "+w+" is missing")
			}
		}
		for _, a := range d.actual {
			if !slices.Contains(d.want, a) {
				out = append(out, d.what+" "+a+" was not expected")
			}
		}
	}
	return out
}
