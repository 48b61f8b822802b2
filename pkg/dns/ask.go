// Package dns judges what happens, step by step, when a pod looks up a name:
// the resolv.conf that it has, the queries that its libc sends, the Corefile
// directive and the object that answer each, held against what every DNS
// replica says.
package dns

import (
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/object"
)

// Libc is a resolver: what decides which queries a name becomes.
type Libc string

// The resolvers. Auto goes by what was observed in the container, then by its
// image, and else shows all; All shows them side by side.
const (
	Auto    Libc = "auto"
	Glibc   Libc = "glibc"
	Musl    Libc = "musl"
	Go      Libc = "go"
	Busybox Libc = "busybox" // busybox nslookup, which is no libc
	Windows Libc = "windows" // what pods on Windows nodes have; never chosen by hand
	All     Libc = "all"
)

// Libcs are the resolvers whose ladder is known, in the order of display.
func Libcs() []Libc { return []Libc{Glibc, Musl, Go, Busybox} }

// Type is a DNS record type by its name.
type Type string

// The types that trace-dns asks for.
const (
	A     Type = "A"
	AAAA  Type = "AAAA"
	CNAME Type = "CNAME"
	SRV   Type = "SRV"
	PTR   Type = "PTR"
	TXT   Type = "TXT"
	NS    Type = "NS"
	SOA   Type = "SOA"
	MX    Type = "MX"
)

// Types are all of them.
func Types() []Type { return []Type{A, AAAA, CNAME, SRV, PTR, TXT, NS, SOA, MX} }

// Ask is the question: which name, from where.
type Ask struct {
	Name      string     // as the user wrote it
	From      object.Ref // the pod, or the workload of which one pod is chosen; zero: no client, the defaults of a pod in Namespace
	Namespace string     // of the client
	Types     []Type     // empty: A and AAAA, or PTR for an address
	Libc      Libc       // "" is Auto
	Container string     // "" is the first
}

// types are those that are asked for each name.
func (a Ask) types() []Type {
	if len(a.Types) > 0 {
		return a.Types
	}
	return []Type{A, AAAA}
}

// Question is one query as it is sent: an absolute name and a type.
type Question struct {
	Name string `json:"name"` // lower case, with the trailing dot
	Type Type   `json:"type"`
}

func (q Question) key() Question {
	return Question{Name: strings.ToLower(q.Name), Type: q.Type}
}
