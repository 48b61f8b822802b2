package dns

import (
	"fmt"
	"slices"
)

// checkZones finds a zone that two server blocks serve at the same port and
// address: CoreDNS does not start with it, unless a view parts them and stands
// above the one without (coredns core/dnsserver/register.go,
// validateZonesAndListeningAddresses).
func (c *Corefile) checkZones() {
	type served struct {
		BlockZone
		address string
	}
	seen := map[served]bool{}
	for i := range c.Blocks {
		b := &c.Blocks[i]
		for _, z := range slices.Compact(slices.Clone(b.Zones)) {
			addresses := []string{""}
			if d := b.plugin("bind"); d != nil && len(d.Args) > 0 {
				addresses = d.Args
			}
			for _, address := range addresses {
				at := served{z, address}
				if seen[at] && c.Err == nil {
					c.Err, c.ErrLine = &syntaxError{line: b.Line, text: fmt.Sprintf("cannot serve %s://%s:%s - it is already defined", z.Transport, z.Zone, z.Port)}, b.Line
				}
				if b.plugin("view") == nil {
					seen[at] = true
				}
			}
		}
	}
}
