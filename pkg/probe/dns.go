package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
)

// lanes is how many DNS connections one server gets: a server answers the
// queries of one connection one after the other, and an upstream that hangs
// must not hold up the rest.
const lanes = 4

// DNS asks a pod's DNS server all questions over TCP (pods/portforward): the
// server sees them come from its localhost, so what it does by the client's
// address (acl, view, autopath) does not show. The Result is that of reaching
// the server; the answers stand in the order of the questions, and one that
// did not come says why in its Fault.
func (p *Prober) DNS(ctx context.Context, t Target, questions []DNSQuestion) ([]DNSAnswer, Result) {
	unreached := func(r Result) ([]DNSAnswer, Result) { return unanswered(questions, r.Detail), r }
	c, err := p.once()
	if err != nil {
		return unreached(failed(err))
	}
	dialer, err := forwardDialer(c.config, t)
	if err != nil {
		return unreached(failed(err))
	}
	p.requests.Add(1)
	conn, err := within(ctx, func() (httpstream.Connection, error) {
		conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		if err == nil && ctx.Err() != nil {
			conn.Close()
		}
		return conn, err
	})
	if err != nil {
		return unreached(judgeUpgrade(err))
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return askInLanes(ctx, conn, t.Port, questions)
}

// askInLanes deals the questions out to several connections. Each lane writes
// its own answers, and they are read only when it has ended.
func askInLanes(ctx context.Context, conn httpstream.Connection, port int, questions []DNSQuestion) ([]DNSAnswer, Result) {
	answers := unanswered(questions, "no answer in time")
	count := min(lanes, len(questions))
	results := make([]Result, count)
	lane := make([][]DNSAnswer, count)
	var group errgroup.Group
	for l := range count {
		var mine []DNSQuestion
		for i := l; i < len(questions); i += count {
			mine = append(mine, questions[i])
		}
		group.Go(func() error {
			lane[l], results[l] = forwardLane(ctx, conn, port, l, mine)
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	best := Result{Outcome: TimedOut, Detail: "no answer in time"}
	for l := range count {
		for i, a := range lane[l] {
			answers[l+i*count] = a
		}
		if l == 0 || results[l].Outcome == Answered && best.Outcome != Answered {
			best = results[l]
		}
	}
	return answers, best
}

// forwardLane is one TCP connection of the server: a stream of data, and one on
// which the kubelet says what went wrong.
func forwardLane(ctx context.Context, conn httpstream.Connection, port, id int, questions []DNSQuestion) ([]DNSAnswer, Result) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(id))
	faults, err := conn.CreateStream(headers)
	if err != nil {
		return unanswered(questions, err.Error()), failed(err)
	}
	_ = faults.Close() // we have nothing to say on it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		return unanswered(questions, err.Error()), failed(err)
	}
	defer data.Close()
	stop := context.AfterFunc(ctx, func() { data.Reset(); faults.Reset() })
	defer stop()

	words := make(chan string, 1)
	go func() {
		said, _ := io.ReadAll(io.LimitReader(faults, mostBytes))
		if len(said) > 0 {
			data.Reset() // nothing will come
		}
		words <- string(said)
	}()
	answers, err := AskDNS(data, questions)
	if err == nil {
		return answers, Result{Outcome: Answered, Detail: "it answers"}
	}
	if ctx.Err() != nil {
		for i := range answers {
			if answers[i].Fault == "no answer" {
				answers[i].Fault = "no answer in time"
			}
		}
		return answers, failed(ctx.Err())
	}
	data.Reset()
	select {
	case said := <-words:
		if said != "" {
			r := judgeForward(said)
			for i := range answers {
				if answers[i].Fault != "" {
					answers[i].Fault = r.Detail
				}
			}
			return answers, r
		}
	case <-ctx.Done():
	}
	for _, a := range answers {
		if a.Fault == "" {
			return answers, Result{Outcome: Answered, Detail: err.Error()}
		}
	}
	return answers, Result{Outcome: Unable, Detail: err.Error()}
}

func unanswered(questions []DNSQuestion, why string) []DNSAnswer {
	answers := make([]DNSAnswer, len(questions))
	for i := range answers {
		answers[i].Fault = why
	}
	return answers
}

// AskDNS puts the questions on one connection (RFC 7766: each message after
// its length in two bytes, answers in any order) and reads until all have been
// answered. The error says why it ended before; what was answered is kept.
func AskDNS(conn io.ReadWriter, questions []DNSQuestion) ([]DNSAnswer, error) {
	answers := make([]DNSAnswer, len(questions))
	var out bytes.Buffer
	waiting := 0
	for i, q := range questions {
		message, err := EncodeDNS(uint16(i), q)
		if err != nil {
			answers[i].Fault = err.Error()
			continue
		}
		answers[i].Fault = "no answer"
		waiting++
		out.Write(binary.BigEndian.AppendUint16(nil, uint16(len(message))))
		out.Write(message)
	}
	if waiting == 0 {
		return answers, nil
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(out.Bytes())
		sent <- err
	}()
	open := make([]bool, len(questions))
	for i := range open {
		open[i] = answers[i].Fault == "no answer"
	}
	// A server that sends more than was asked for is not listened to for ever.
	for strays := 0; waiting > 0 && strays < len(questions)+8; {
		message, err := readMessage(conn)
		if err != nil {
			return answers, readFailed(err, sent)
		}
		id := int(binary.BigEndian.Uint16(message))
		if id >= len(open) || !open[id] {
			strays++
			continue
		}
		open[id] = false
		waiting--
		answers[id] = DecodeDNS(message, questions[id])
	}
	if waiting > 0 {
		return answers, errors.New("the server sends answers that were not asked for")
	}
	return answers, nil
}

func readMessage(conn io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, message); err != nil {
		return nil, err
	}
	if len(message) < 2 {
		return nil, errors.New("a DNS message of less than two bytes")
	}
	return message, nil
}

func readFailed(err error, sent <-chan error) error {
	select {
	case write := <-sent:
		if write != nil {
			return fmt.Errorf("cannot send: %w", write)
		}
	default:
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the server closed the connection without an answer")
	}
	return err
}
