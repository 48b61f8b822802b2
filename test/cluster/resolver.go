package cluster

// resolverCorefile configures the resolver that the nodes' resolv.conf names:
// the world outside the cluster, in which a few names exist. The addresses are
// those reserved for documentation (RFC 5737, RFC 3849).
//
// The names are in server blocks of their own, since CoreDNS asks template
// before hosts, in whatever order they are written (coredns plugin.cfg).
const resolverCorefile = `example.com:53 example.org:53 {
    bind ` + hostIP + `
    hosts {
        203.0.113.10 example.com
        203.0.113.11 www.example.com
        203.0.113.12 api.example.org
        2001:db8::10 example.com
    }
    log
    errors
}
.:53 {
    bind ` + hostIP + `
    template ANY ANY {
        rcode NXDOMAIN
        authority "{{ .Zone }} 60 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60"
    }
    ready ` + hostIP + `:8181
    log
    errors
}
`
