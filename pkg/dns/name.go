package dns

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// Name is what is looked up, after the checks that every resolver makes.
type Name struct {
	Written string     // as the user wrote it
	ASCII   string     // as it is sent: IDN in punycode, escapes as they were
	Rooted  bool       // it ends in a dot: no search list
	Dots    int        // without a trailing one
	Address netip.Addr // where it is an address: libc asks nobody
	Notes   []string   // what is odd, but sent all the same
}

// maxName is the longest name in presentation form, without the trailing dot
// (RFC 1035, 3.1: 255 octets on the wire).
const maxName = 253

// ParseName checks a name. The error says why no resolver sends it.
func ParseName(text string) (Name, error) {
	n := Name{Written: text}
	switch {
	case text == "":
		return n, fmt.Errorf("an empty name cannot be looked up: give a name, such as redis or redis.shop.svc")
	case strings.ContainsAny(text, "/@") && hostIn(text) != "":
		return n, fmt.Errorf("that is no DNS name: of a URL only the host is looked up, without scheme, user, port and path; look up %q", hostIn(text))
	case strings.ContainsAny(text, " \t\r\n\x00/@") || strings.HasPrefix(text, "-"):
		return n, fmt.Errorf("%q is not a DNS name: it holds a character that no name has; leave out schemes, ports and paths", text)
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		n.Address, n.ASCII = addr.WithZone(""), text
		return n, nil
	}
	if strings.Contains(text, ":") {
		if host := hostIn(text); host != "" {
			return n, fmt.Errorf("%q is not a DNS name: a port is no part of it; look up %q", text, host)
		}
		return n, fmt.Errorf("%q is neither a DNS name nor an address: no name has a colon", text)
	}
	n.ASCII = text
	if !ascii(text) {
		converted, err := idna.Lookup.ToASCII(text)
		if err != nil {
			return n, fmt.Errorf("%q is not an internationalized name that could be sent: %w", text, err)
		}
		n.ASCII = converted
		n.Notes = append(n.Notes, fmt.Sprintf("it is shown in the form in which browsers and curl send it, %s; a libc that is given the letters themselves sends their bytes, which no zone has", converted))
	}
	n.Rooted = strings.HasSuffix(n.ASCII, ".")
	bare := strings.TrimSuffix(n.ASCII, ".")
	n.Dots = strings.Count(bare, ".")
	return n, n.check(bare)
}

// hostIn is the host of what is written as a URL, with or without its scheme;
// "" where there is none that could be looked up. It is what an error may
// repeat: what else stands there may be a password.
func hostIn(text string) string {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	text = text[strings.LastIndexByte(text, '@')+1:]
	if end := strings.IndexByte(text, ']'); strings.HasPrefix(text, "[") && end > 0 {
		text = text[1:end]
	} else if host, port, ok := strings.Cut(text, ":"); ok && strings.Trim(port, "0123456789") == "" {
		text = host
	}
	if strings.Contains(text, ":") && !isIP(text) {
		return ""
	}
	if n, err := ParseName(text); err != nil || n.ASCII == "." {
		return ""
	}
	return text
}

func (n *Name) check(bare string) error {
	if bare == "" {
		return nil // the root
	}
	if len(bare) > maxName {
		return fmt.Errorf("the name has %d characters, and a DNS name has at most %d: no resolver sends it", len(bare), maxName)
	}
	for label := range strings.SplitSeq(bare, ".") {
		switch {
		case label == "":
			return fmt.Errorf("%q has an empty label (two dots side by side, or one at the start): no resolver sends it", n.Written)
		case len(label) > 63:
			return fmt.Errorf("%q has a label of %d characters, and a label has at most 63: no resolver sends it", n.Written, len(label))
		case label == "*":
			n.Notes = append(n.Notes, "the asterisk is sent as it is: it matches no Service, since CoreDNS answers wildcard queries no more (1.9 and later)")
		case strings.Contains(label, "_") && !strings.HasPrefix(label, "_"):
			n.Notes = append(n.Notes, fmt.Sprintf("no Service or pod can be called %q: their names have no underscore", label))
		}
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// reverseName is the name under which an address is looked up for a PTR.
func reverseName(a netip.Addr) string {
	a = a.Unmap()
	var b strings.Builder
	bytes := a.AsSlice()
	for i := len(bytes) - 1; i >= 0; i-- {
		if a.Is4() {
			fmt.Fprintf(&b, "%d.", bytes[i])
		} else {
			fmt.Fprintf(&b, "%x.%x.", bytes[i]&15, bytes[i]>>4)
		}
	}
	if a.Is4() {
		return b.String() + "in-addr.arpa."
	}
	return b.String() + "ip6.arpa."
}

// reversedAddress reads the address back out of such a name.
func reversedAddress(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa."); ok {
		l := strings.Split(rest, ".")
		if len(l) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(l[3] + "." + l[2] + "." + l[1] + "." + l[0])
		return a, err == nil
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa.")
	l := strings.Split(rest, ".")
	if !ok || len(l) != 32 {
		return netip.Addr{}, false
	}
	var b strings.Builder
	for i := range l {
		if i > 0 && i%4 == 0 {
			b.WriteByte(':')
		}
		b.WriteString(l[31-i])
	}
	a, err := netip.ParseAddr(b.String())
	return a, err == nil
}

// within says whether a name is at or below a zone, both with trailing dots.
func within(zone, name string) bool {
	zone, name = strings.ToLower(zone), strings.ToLower(name)
	return zone == "." || name == zone || strings.HasSuffix(name, "."+zone)
}

func fqdn(name string) string {
	if strings.HasSuffix(name, ".") {
		return name
	}
	return name + "."
}
