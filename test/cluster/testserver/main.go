// Command testserver is the program inside the test cluster's images: a small
// HTTP server that misbehaves on demand. Everything is set by the environment,
// so that `kubectl set env` changes its manners.
//
//	NAME, VERSION     what / answers, followed by the host name
//	LISTEN            addresses, comma-separated (default :8080; "none" for no server)
//	START_AFTER       listen only after this long
//	READY_AFTER       /readyz answers 503 until then
//	UNREADY_AFTER     /readyz answers 503 from then on
//	UNHEALTHY_AFTER   /healthz answers 500 from then on
//	EXIT_AFTER        exit then, with EXIT_CODE (default 1) after logging EXIT_LOG
//	ALLOCATE_MB       take that much memory at the start, after ALLOCATE_AFTER
//	IGNORE_TERM       any value: ignore SIGTERM
//	DRAIN             go on serving this long after SIGTERM, with /readyz at 503
//	DELAY             wait so long before each answer of /
//	LOG_EVERY         log a counted line that often
//	FETCH, FETCH_EVERY  get the URL that often (default 1s) and log what came
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	s, err := newServer(os.Getenv, time.Now)
	if err != nil {
		log.Fatalf("testserver: %v", err)
	}
	log.Printf("%s %s starting on %s", s.name, s.version, s.host)
	s.misbehave()
	for _, address := range s.listen {
		go func() {
			time.Sleep(s.startAfter)
			log.Printf("listening on %s", address)
			log.Fatal(http.ListenAndServe(address, s))
		}()
	}
	s.waitForTerm()
}

type server struct {
	name, version, host    string
	listen                 []string
	now                    func() time.Time
	started                time.Time
	startAfter             time.Duration
	readyAfter             time.Duration
	unreadyAfter           time.Duration
	unhealthyAfter         time.Duration
	exitAfter              time.Duration
	exitCode               int
	exitLog                string
	allocateMB             int
	allocateAfter          time.Duration
	ignoreTerm             bool
	drain, delay, logEvery time.Duration
	fetch                  string
	fetchEvery             time.Duration
	draining               atomic.Bool
	memory                 [][]byte
}

func newServer(env func(string) string, now func() time.Time) (*server, error) {
	s := &server{name: or(env("NAME"), "testserver"), version: or(env("VERSION"), "v0"), now: now, started: now()}
	s.host, _ = os.Hostname()
	if l := or(env("LISTEN"), ":8080"); l != "none" {
		s.listen = strings.Split(l, ",")
	}
	s.exitLog, s.fetch, s.ignoreTerm = env("EXIT_LOG"), env("FETCH"), env("IGNORE_TERM") != ""
	durations := map[string]*time.Duration{
		"START_AFTER": &s.startAfter, "READY_AFTER": &s.readyAfter, "UNREADY_AFTER": &s.unreadyAfter,
		"UNHEALTHY_AFTER": &s.unhealthyAfter, "EXIT_AFTER": &s.exitAfter, "ALLOCATE_AFTER": &s.allocateAfter,
		"DRAIN": &s.drain, "DELAY": &s.delay, "LOG_EVERY": &s.logEvery, "FETCH_EVERY": &s.fetchEvery,
	}
	for name, target := range durations {
		if value := env(name); value != "" {
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, fmt.Errorf("environment %s: %w; write it as 10s", name, err)
			}
			*target = d
		}
	}
	for name, target := range map[string]*int{"EXIT_CODE": &s.exitCode, "ALLOCATE_MB": &s.allocateMB} {
		if value := env(name); value != "" {
			n, err := strconv.Atoi(value)
			if err != nil {
				return nil, fmt.Errorf("environment %s: %w", name, err)
			}
			*target = n
		}
	}
	if env("EXIT_CODE") == "" {
		s.exitCode = 1
	}
	if s.fetchEvery == 0 {
		s.fetchEvery = time.Second
	}
	return s, nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	age := s.now().Sub(s.started)
	past := func(d time.Duration) bool { return d > 0 && age >= d }
	switch r.URL.Path {
	case "/healthz":
		answer(w, !past(s.unhealthyAfter), http.StatusInternalServerError)
	case "/readyz":
		ready := age >= s.readyAfter && !past(s.unreadyAfter) && !s.draining.Load()
		answer(w, ready, http.StatusServiceUnavailable)
	default:
		time.Sleep(s.delay)
		fmt.Fprintf(w, "%s %s %s\n", s.name, s.version, s.host)
	}
}

func answer(w http.ResponseWriter, ok bool, otherwise int) {
	if !ok {
		http.Error(w, "no", otherwise)
		return
	}
	fmt.Fprintln(w, "ok")
}

// misbehave starts what happens beside serving.
func (s *server) misbehave() {
	if s.exitAfter > 0 {
		time.AfterFunc(s.exitAfter, func() {
			if s.exitLog != "" {
				log.Print(s.exitLog)
			}
			os.Exit(s.exitCode)
		})
	}
	if s.allocateMB > 0 {
		time.AfterFunc(s.allocateAfter, s.allocate)
	}
	if s.logEvery > 0 {
		go func() {
			for i := 1; ; i++ {
				log.Printf("line %d", i)
				time.Sleep(s.logEvery)
			}
		}()
	}
	if s.fetch != "" {
		go s.fetchForever()
	}
}

// allocate writes to every page, since memory that was never touched is not
// charged to the container.
func (s *server) allocate() {
	log.Printf("allocating %d MB", s.allocateMB)
	for range s.allocateMB {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		s.memory = append(s.memory, block)
	}
	log.Printf("allocated %d MB", len(s.memory))
}

// fetchForever opens a new connection each time, so that a Service is free to
// choose another pod.
func (s *server) fetchForever() {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ; ; time.Sleep(s.fetchEvery) {
		resp, err := client.Get(s.fetch)
		if err != nil {
			log.Printf("fetch: %v", err)
			continue
		}
		var body [256]byte
		n, _ := resp.Body.Read(body[:])
		resp.Body.Close()
		log.Printf("fetch: %s %s", resp.Status, strings.TrimSpace(string(body[:n])))
	}
}

func (s *server) waitForTerm() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	for sig := range signals {
		if s.ignoreTerm {
			log.Printf("ignoring %v", sig)
			continue
		}
		log.Printf("%v: draining for %v", sig, s.drain)
		s.draining.Store(true)
		time.Sleep(s.drain)
		return
	}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
