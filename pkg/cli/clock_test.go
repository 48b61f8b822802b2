package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// at is the access to a server at an address.
type at struct {
	genericclioptions.RESTClientGetter
	host string
}

func (a at) ToRESTConfig() (*rest.Config, error) { return &rest.Config{Host: a.host}, nil }

func TestTimeIsTheClusters(t *testing.T) {
	here := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		dates []string
		age   string
		ahead time.Duration
		said  string
	}{
		"the clocks agree":                  {dates: []string{"Sun, 01 Mar 2026 12:00:01 GMT"}},
		"this machine's is behind":          {dates: []string{"Sun, 01 Mar 2026 12:10:00 GMT"}, ahead: 10*time.Minute + time.Second/2, said: "10m1s behind the cluster's"},
		"this machine's is ahead":           {dates: []string{"Sun, 01 Mar 2026 11:50:00 GMT"}, ahead: -10*time.Minute + time.Second/2, said: "10m0s ahead of the cluster's"},
		"the first answer counts":           {dates: []string{"Sun, 01 Mar 2026 12:10:00 GMT", "Sun, 01 Mar 2026 13:00:00 GMT"}, ahead: 10*time.Minute + time.Second/2, said: "behind"},
		"the first has no date":             {dates: []string{"soon", "Sun, 01 Mar 2026 12:10:00 GMT"}, ahead: 10*time.Minute + time.Second/2, said: "behind"},
		"an answer that was kept somewhere": {dates: []string{"Sun, 01 Mar 2026 11:00:00 GMT"}, age: "3600"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", c.dates[asked])
				if c.age != "" {
					w.Header().Set("Age", c.age)
				}
				asked++
			}))
			defer server.Close()
			var said []string
			clock := &clock{own: func() time.Time { return here }, differs: func(text string) { said = append(said, text) }}
			config, err := listening{at{host: server.URL}, clock}.ToRESTConfig()
			if err != nil {
				t.Fatal(err)
			}
			client, err := rest.HTTPClientFor(config)
			if err != nil {
				t.Fatal(err)
			}
			if !clock.Now().Equal(here) {
				t.Error("before the first answer this machine's clock is all there is")
			}
			for range c.dates {
				answer, err := client.Get(server.URL)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
			}
			if got := clock.Now().Sub(here); got != c.ahead {
				t.Errorf("the cluster's clock is %s ahead, want %s", got, c.ahead)
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, c.said) || (c.said == "") != (all == "") || len(said) > 1 {
				t.Errorf("said %q, want %q", all, c.said)
			}
		})
	}
}
