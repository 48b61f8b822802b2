package probe

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Listener is an address and port on which something accepts connections.
type Listener struct {
	Address netip.Addr
	Port    int
}

// Anywhere says whether the listener accepts on every address. An IPv6
// wildcard accepts IPv4 too, unless the program turned that off.
func (l Listener) Anywhere() bool { return l.Address.IsUnspecified() }

// Loopback says whether only the pod itself can connect.
func (l Listener) Loopback() bool { return l.Address.Unmap().IsLoopback() }

// String is "127.0.0.1:8080".
func (l Listener) String() string {
	return netip.AddrPortFrom(l.Address, uint16(l.Port)).String()
}

// listening is TCP_LISTEN (linux include/net/tcp_states.h).
const listening = "0A"

// ParseListeners reads the text of /proc/net/tcp and tcp6, one after the other.
// What is no such line is passed over. The listeners come by port and address.
func ParseListeners(text string) []Listener {
	var found []Listener
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != listening {
			continue
		}
		if l, ok := parseAddress(fields[1]); ok {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), a.Address.Compare(b.Address))
	})
	return slices.Compact(found)
}

// parseAddress reads "0100007F:1F90". The kernel prints an address as 32-bit
// words of the machine's byte order (net/ipv4/tcp_ipv4.c, get_tcp4_sock); nodes
// are little-endian.
func parseAddress(field string) (Listener, bool) {
	address, port, ok := strings.Cut(field, ":")
	if !ok || len(port) != 4 {
		return Listener{}, false
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return Listener{}, false
	}
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return Listener{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	ip, ok := netip.AddrFromSlice(raw)
	if !ok {
		return Listener{}, false
	}
	return Listener{Address: ip.Unmap(), Port: int(number)}, true
}
