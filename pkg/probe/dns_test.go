package probe

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// reply is an answer to the query in message, made by change.
func reply(t testing.TB, message []byte, change func(*dnsmessage.Message)) []byte {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil {
		t.Fatal(err)
	}
	m.Response, m.Authoritative = true, true
	if change != nil {
		change(&m)
	}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func query(t testing.TB, name, kind string) []byte {
	t.Helper()
	message, err := EncodeDNS(7, DNSQuestion{Name: name, Type: kind})
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func TestEachRecordTypeReadsAsZoneFilesWriteIt(t *testing.T) {
	name := func(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }
	for kind, c := range map[string]struct {
		body dnsmessage.ResourceBody
		want string
	}{
		"A":     {&dnsmessage.AResource{A: [4]byte{10, 96, 0, 1}}, "10.96.0.1"},
		"AAAA":  {&dnsmessage.AAAAResource{AAAA: [16]byte{0: 0xfd, 15: 1}}, "fd00::1"},
		"CNAME": {&dnsmessage.CNAMEResource{CNAME: name("a.example.")}, "a.example."},
		"PTR":   {&dnsmessage.PTRResource{PTR: name("web.shop.svc.cluster.local.")}, "web.shop.svc.cluster.local."},
		"SRV":   {&dnsmessage.SRVResource{Weight: 100, Port: 6379, Target: name("r.s.svc.cluster.local.")}, "0 100 6379 r.s.svc.cluster.local."},
		"TXT":   {&dnsmessage.TXTResource{TXT: []string{"1.1.0", "a\"b\x1b"}}, `"1.1.0" "a\"b\x1b"`},
		"MX":    {&dnsmessage.MXResource{Pref: 10, MX: name("mail.")}, "10 mail."},
	} {
		q := query(t, "web", kind)
		got := DecodeDNS(reply(t, q, func(m *dnsmessage.Message) {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: name("web."), Class: dnsmessage.ClassINET, TTL: 30}, Body: c.body}}
		}), DNSQuestion{Name: "web", Type: kind})
		want := DNSAnswer{RCode: "NOERROR", Authoritative: true, Records: []DNSRecord{{"web.", kind, 30, c.want}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestANegativeAnswerSaysWhoseItIs(t *testing.T) {
	soa := dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("cluster.local."), Class: dnsmessage.ClassINET},
		Body:   &dnsmessage.SOAResource{NS: dnsmessage.MustNewName("ns."), MBox: dnsmessage.MustNewName("m.")},
	}
	got := DecodeDNS(reply(t, query(t, "x", "A"), func(m *dnsmessage.Message) {
		m.RCode, m.Authorities = dnsmessage.RCodeNameError, []dnsmessage.Resource{soa}
	}), DNSQuestion{Name: "x.", Type: "A"})
	if diff := cmp.Diff(DNSAnswer{RCode: "NXDOMAIN", Authoritative: true, Zone: "cluster.local."}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostilePacketsAreNoAnswers(t *testing.T) {
	q := DNSQuestion{Name: "web.", Type: "A"}
	good := query(t, "web", "A")
	header := func(change func([]byte)) []byte {
		m := reply(t, good, nil)
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		message []byte
		fault   string
	}{
		"nothing":               {nil, "no DNS header"},
		"half a header":         {good[:7], "no DNS header"},
		"the query sent back":   {good, "a query"},
		"another question":      {reply(t, query(t, "other", "A"), nil), "the question is another"},
		"another type":          {reply(t, query(t, "web", "AAAA"), nil), "the question is another"},
		"absurd question count": {header(func(m []byte) { binary.BigEndian.PutUint16(m[4:], 65535) }), "the question"},
		"absurd answer count":   {header(func(m []byte) { binary.BigEndian.PutUint16(m[6:], 65535) }), "the answer section"},
		"a compression loop": {header(func(m []byte) {
			m[12], m[13] = 0xc0, 0x0c // the name points at itself
		}), "the question"},
		"a pointer beyond the end": {header(func(m []byte) { m[12], m[13] = 0xff, 0xff }), "the question"},
		"cut in the question":      {reply(t, good, nil)[:14], "the question"},
	} {
		got := DecodeDNS(c.message, q)
		if got.RCode != "" || !strings.HasPrefix(got.Fault, "malformed: "+c.fault) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNamesThatCannotBeSentAreRefused(t *testing.T) {
	for _, name := range []string{"a..b", ".a", strings.Repeat("x", 64), strings.Repeat("abcdefg.", 40), ".."} {
		if _, err := EncodeDNS(0, DNSQuestion{Name: name, Type: "A"}); err == nil {
			t.Errorf("%q is sent", name)
		}
	}
	if _, err := EncodeDNS(0, DNSQuestion{Name: "a", Type: "BOGUS"}); err == nil {
		t.Error("an unknown type is sent")
	}
	if _, err := EncodeDNS(0, DNSQuestion{Name: ".", Type: "NS"}); err != nil {
		t.Error(err)
	}
}

func TestAnswersMayComeInAnyOrder(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		defer server.Close()
		var messages [][]byte
		for range 3 {
			m, err := readMessage(server)
			if err != nil {
				return
			}
			messages = append(messages, m)
		}
		for _, i := range []int{2, 0, 1} {
			answer := reply(t, messages[i], nil)
			server.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer))))
			server.Write(answer)
			server.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer))))
			server.Write(answer) // twice: the second is nobody's
		}
	}()
	answers, err := AskDNS(client, []DNSQuestion{{Name: "a", Type: "A"}, {Name: "b", Type: "A"}, {Name: "bad..name", Type: "A"}, {Name: "c", Type: "AAAA"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"NOERROR", "NOERROR", "", "NOERROR"} {
		if answers[i].RCode != want || want == "" && answers[i].Fault == "" {
			t.Errorf("%d: %+v", i, answers[i])
		}
	}
}

func TestAServerThatEndsOrTalksForEverIsLeft(t *testing.T) {
	serve := func(speak func(io.ReadWriteCloser)) error {
		client, server := net.Pipe()
		go func() { speak(server); server.Close() }()
		answers, err := AskDNS(client, []DNSQuestion{{Name: "a", Type: "A"}})
		client.Close()
		if answers[0].Fault == "" {
			t.Errorf("it answered: %+v", answers[0])
		}
		return err
	}
	if err := serve(func(c io.ReadWriteCloser) { readMessage(c) }); err == nil {
		t.Error("a closed connection is no error")
	}
	if err := serve(func(c io.ReadWriteCloser) { readMessage(c); c.Write([]byte{0, 1, 9}) }); err == nil {
		t.Error("a message of one byte is no error")
	}
	if err := serve(func(c io.ReadWriteCloser) {
		readMessage(c)
		for range 100 {
			c.Write([]byte{0, 2, 0xff, 0xff})
		}
	}); err == nil {
		t.Error("strays without end are no error")
	}
}

func FuzzDecodeDNS(f *testing.F) {
	f.Add(reply(f, query(f, "web", "A"), nil))
	f.Add(reply(f, query(f, "web", "SRV"), func(m *dnsmessage.Message) {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("web."), Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.SRVResource{Port: 1, Target: dnsmessage.MustNewName("web.")},
		}}
	}))
	f.Add([]byte{0, 7, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, message []byte) {
		a := DecodeDNS(message, DNSQuestion{Name: "web.", Type: "A"})
		if (a.RCode == "") != (a.Fault != "") || len(a.Records) > mostRecords {
			t.Errorf("%+v", a)
		}
	})
}

func FuzzAskDNS(f *testing.F) {
	f.Add([]byte{0, 3, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, stream []byte) {
		answers, _ := AskDNS(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(string(stream)), io.Discard}, []DNSQuestion{{Name: "web", Type: "A"}, {Name: "web", Type: "AAAA"}})
		if len(answers) != 2 {
			t.Errorf("%d answers", len(answers))
		}
	})
}

func TestCoreDNSTellsItsVersionAndConfiguration(t *testing.T) {
	hash := strings.Repeat("ab", 64)
	got := ParseCoreDNS(`# HELP coredns_build_info x
coredns_build_info{goversion="go1.26",revision="",version="1.15.0"} 1
coredns_reload_version_info{hash="sha512",value="` + hash + `"} 1
coredns_reload_failed_total 2
coredns_forward_max_concurrent_rejects_total{} 3
coredns_forward_healthcheck_broken_total 1e1
coredns_reload_version_info}{ 1
other_metric 4
`)
	if diff := cmp.Diff(CoreDNS{Version: "1.15.0", ConfigHash: hash, ReloadFailed: 2, Rejected: 3, Broken: 10}, got); diff != "" {
		t.Error(diff)
	}
	log := "[INFO] plugin/reload: Running configuration SHA512 = " + strings.Repeat("00", 64) + "\n.:53\n[INFO] plugin/reload: Running configuration SHA512 = " + hash + "\n[INFO] plugin/reload: Running configuration SHA512 = abc\n"
	if got := LoggedHash(log); got != hash {
		t.Errorf("logged: %s", got)
	}
}

func TestTheClientsFilesAreToldApart(t *testing.T) {
	got := parseResolver("nameserver 10.96.0.10\n\n" + hostsMark + "0\n127.0.0.1 localhost\n" + hostsMark + "0\nno\n\n" + libcMark + "0\n/lib/ld-musl-x86_64.so.1\n")
	if got.Libc != "musl" || got.Conf.Err != "" || got.Hosts.Err != "" {
		t.Errorf("%+v", got)
	}
	got = parseResolver("\n" + hostsMark + "1\nx\n\n" + libcMark + "0\n/lib64/ld-linux-x86-64.so.2\n")
	want := Resolver{Conf: Said{Err: "cat cannot read it"}, Hosts: Said{Text: "x\n"}, Libc: "glibc", Why: "/lib64/ld-linux-x86-64.so.2 is there"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := parseResolver("nameserver"); got.Conf.Err == "" {
		t.Errorf("half a file is taken: %+v", got)
	}
}

func TestALookupSaysWhichProgramItWas(t *testing.T) {
	getent, nslookup := parseLookup("10.0.0.1 STREAM a\n=leadsman:getent=0\n")
	if getent.Text != "10.0.0.1 STREAM a\n" || getent.Err != "" || nslookup.Err == "" {
		t.Errorf("%+v %+v", getent, nslookup)
	}
	getent, nslookup = parseLookup("Server: 1\n=leadsman:nslookup=1\n")
	if nslookup.Text != "Server: 1\n" || nslookup.Code != 1 || getent.Err == "" {
		t.Errorf("%+v %+v", getent, nslookup)
	}
	for _, text := range []string{"", "=leadsman:none=\n", "10.0.0.1 STREAM a\n"} {
		if getent, nslookup = parseLookup(text); getent.Err == "" || nslookup.Err == "" {
			t.Errorf("%q: %+v %+v", text, getent, nslookup)
		}
	}
}
