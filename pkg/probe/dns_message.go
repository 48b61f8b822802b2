package probe

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// DNSQuestion is a name, with or without the dot at its end, and a type such
// as "A" or "SRV".
type DNSQuestion struct {
	Name string
	Type string
	// Fresh asks with the CD bit: CoreDNS keeps such answers apart in its cache
	// (plugin/cache, hash), so that what clients were told before is passed by.
	Fresh bool
}

// DNSAnswer is what a server said. Names and data are strangers' text.
type DNSAnswer struct {
	RCode         string      // "NOERROR", "NXDOMAIN", "SERVFAIL", …; "" where there was no answer
	Authoritative bool        // the server speaks for the zone itself
	Truncated     bool        // TC
	Records       []DNSRecord // of the answer section, as it was sent
	Zone          string      // whose SOA came with a negative answer
	Fault         string      // why there is no answer, or none that can be read
}

// DNSRecord is one record, its data as zone files write it.
type DNSRecord struct {
	Name string
	Type string
	TTL  uint32
	Data string
}

// mostRecords is more than any answer that a client could use.
const mostRecords = 512

// DNSTypes are the types that can be asked for.
func DNSTypes() []string {
	return []string{"A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "MX", "ANY"}
}

func typeNumber(name string) (dnsmessage.Type, bool) {
	switch strings.ToUpper(name) {
	case "A":
		return dnsmessage.TypeA, true
	case "AAAA":
		return dnsmessage.TypeAAAA, true
	case "SRV":
		return dnsmessage.TypeSRV, true
	case "PTR":
		return dnsmessage.TypePTR, true
	case "CNAME":
		return dnsmessage.TypeCNAME, true
	case "TXT":
		return dnsmessage.TypeTXT, true
	case "NS":
		return dnsmessage.TypeNS, true
	case "SOA":
		return dnsmessage.TypeSOA, true
	case "MX":
		return dnsmessage.TypeMX, true
	case "ANY":
		return dnsmessage.TypeALL, true
	}
	return 0, false
}

// EncodeDNS writes a query that asks for recursion, as clients do.
func EncodeDNS(id uint16, q DNSQuestion) ([]byte, error) {
	number, ok := typeNumber(q.Type)
	if !ok {
		return nil, fmt.Errorf("record type %q is none of %s", q.Type, strings.Join(DNSTypes(), ", "))
	}
	name, err := dnsmessage.NewName(strings.TrimSuffix(q.Name, ".") + ".")
	if err != nil {
		return nil, fmt.Errorf("the name has %d bytes, more than DNS can carry", len(q.Name))
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true, CheckingDisabled: q.Fresh},
		Questions: []dnsmessage.Question{{Name: name, Type: number, Class: dnsmessage.ClassINET}},
	}
	packed, err := message.Pack()
	if err != nil {
		return nil, fmt.Errorf("the name cannot be sent: %s", strings.TrimPrefix(err.Error(), "packing "))
	}
	return packed, nil
}

// DecodeDNS reads the answer to a question. What cannot be read is a Fault,
// with what could be read before it.
func DecodeDNS(message []byte, q DNSQuestion) DNSAnswer {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return DNSAnswer{Fault: "malformed: no DNS header"}
	}
	if !header.Response {
		return DNSAnswer{Fault: "malformed: a query instead of an answer"}
	}
	a := DNSAnswer{RCode: rcode(header.RCode), Authoritative: header.Authoritative, Truncated: header.Truncated}
	questions, err := parser.AllQuestions()
	if err != nil {
		return a.malformed("the question", err)
	}
	// Servers that refuse may leave the question out.
	if len(questions) > 0 && !sameQuestion(questions[0], q) {
		return a.malformed("the question is another one than was asked", nil)
	}
	if err := a.readAnswers(&parser); err != nil {
		return a.malformed("the answer section", err)
	}
	a.readAuthority(&parser)
	return a
}

// malformed keeps nothing that could be taken for an answer.
func (a DNSAnswer) malformed(where string, err error) DNSAnswer {
	fault := "malformed: " + where
	if err != nil {
		fault += ": " + err.Error()
	}
	return DNSAnswer{Fault: fault, Truncated: a.Truncated}
}

func sameQuestion(got dnsmessage.Question, q DNSQuestion) bool {
	number, _ := typeNumber(q.Type)
	return got.Type == number && strings.EqualFold(strings.TrimSuffix(got.Name.String(), "."), strings.TrimSuffix(q.Name, "."))
}

func (a *DNSAnswer) readAnswers(parser *dnsmessage.Parser) error {
	for len(a.Records) < mostRecords {
		resource, err := parser.Answer()
		if err == dnsmessage.ErrSectionDone {
			return nil
		}
		if err != nil {
			return err
		}
		a.Records = append(a.Records, DNSRecord{
			Name: resource.Header.Name.String(), Type: typeName(resource.Header.Type), TTL: resource.Header.TTL, Data: data(resource.Body),
		})
	}
	return parser.SkipAllAnswers()
}

// readAuthority looks for the zone that a negative answer speaks of. It is no
// part of the answer: what cannot be read there is passed over.
func (a *DNSAnswer) readAuthority(parser *dnsmessage.Parser) {
	for range mostRecords {
		resource, err := parser.Authority()
		if err != nil {
			return
		}
		if resource.Header.Type == dnsmessage.TypeSOA {
			a.Zone = resource.Header.Name.String()
			return
		}
	}
}

// rcode is the word of RFC 1035 and RFC 6895.
func rcode(code dnsmessage.RCode) string {
	words := []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"}
	if int(code) < len(words) {
		return words[code]
	}
	return "RCODE" + strconv.Itoa(int(code))
}

func typeName(t dnsmessage.Type) string {
	for _, name := range DNSTypes() {
		if number, _ := typeNumber(name); number == t {
			return name
		}
	}
	return "TYPE" + strconv.Itoa(int(t)) // RFC 3597
}

func data(body dnsmessage.ResourceBody) string {
	switch b := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return b.CNAME.String()
	case *dnsmessage.PTRResource:
		return b.PTR.String()
	case *dnsmessage.NSResource:
		return b.NS.String()
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", b.Priority, b.Weight, b.Port, b.Target.String())
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", b.Pref, b.MX.String())
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d %d %d %d %d", b.NS.String(), b.MBox.String(), b.Serial, b.Refresh, b.Retry, b.Expire, b.MinTTL)
	case *dnsmessage.TXTResource:
		quoted := slices.Clone(b.TXT)
		for i, text := range quoted {
			quoted[i] = strconv.Quote(text)
		}
		return strings.Join(quoted, " ")
	case *dnsmessage.UnknownResource:
		return fmt.Sprintf(`\# %d %s`, len(b.Data), hex.EncodeToString(b.Data[:min(len(b.Data), 256)]))
	}
	return ""
}
