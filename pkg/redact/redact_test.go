package redact

import (
	"slices"
	"strings"
	"testing"
)

func TestWhatIsSecretIsReplaced(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a header":                          {"Authorization: Bearer hunter2abc", "Authorization: Bearer (redacted)"},
		"basic credentials":                 {"authorization=Basic dXNlcjpwYXNz", "authorization=Basic (redacted)"},
		"a JSON web token":                  {"got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl of x", "got (redacted) of x"},
		"a key of a cloud":                  {"AKIAABCDEFGHIJKLMNOP", "(redacted)"},
		"a token that says what it is":      {"use ghp_0123456789abcdefABCD now", "use (redacted) now"},
		"a password in an address":          {"redis://:hunter2@cache:6379/0", "redis://(redacted)@cache:6379/0"},
		"a password with an @ in it":        {"postgres://u:hun@ter2@db/x", "postgres://(redacted)@db/x"},
		"an address that was shortened":     {"dial postgres://u:hunter…", "dial postgres://(redacted)…"},
		"an assignment":                     {"DB_PASSWORD=hunter2 started", "DB_PASSWORD=(redacted) started"},
		"JSON":                              {`{"token": "hunter2"}`, `{"token": "(redacted)"}`},
		"JSON in a string":                  {`"{\"token\":\"hunter2\"}"`, `"{\"token\":\"(redacted)\"}"`},
		"JSON that was cut off":             {`{"token": "hunter and`, `{"token": "(redacted)"`},
		"a flag in a command":               {"serve --db-password hunter2 --port 80", "serve --db-password (redacted) --port 80"},
		"a private key":                     {"a\n-----BEGIN RSA PRIVATE KEY-----\nhunter\n-----END RSA PRIVATE KEY-----\nb", "a\n(redacted)\nb"},
		"a private key that was cut off":    {"-----BEGIN PRIVATE KEY-----\nhunter", "(redacted)"},
		"the account at a registry":         {"reached your pull rate limit as 'jdoe': dckr_jti_x. Wait", "reached your pull rate limit as '(account)'. Wait"},
		"the password of mysqladmin":        {"mysqladmin ping -uroot -phunter2 -h db", "mysqladmin ping -uroot -p(redacted) -h db"},
		"the password of redis-cli":         {"redis-cli -h x -a hunter2 ping", "redis-cli -h x -a (redacted) ping"},
		"the password of a Corefile":        {"etcd {\n    credentials root hunter2\n}", "etcd {\n    credentials root (redacted)\n}"},
		"a variable is no secret":           {"redis-cli -a $PASS; password=$(PASS)", "redis-cli -a $PASS; password=$(PASS)"},
		"prose about tokens stays":          {"invalid token: expired", "invalid token: expired"},
		"prose about authentication stays":  {"needs basic authentication", "needs basic authentication"},
		"an address stays":                  {"http://backend:8080/login and redis:6379", "http://backend:8080/login and redis:6379"},
		"a shortened address stays":         {"http://backend:8080…", "http://backend:8080…"},
		"a port and a path with an @ stay":  {"http://backend:8080/a@b", "http://backend:8080/a@b"},
		"an image stays":                    {"registry.example.com:5000/team/app:1.2@sha256:0123456789abcdef0123456789abcdef", "registry.example.com:5000/team/app:1.2@sha256:0123456789abcdef0123456789abcdef"},
		"a command that looks at a Secret":  {"kubectl -n shop describe secret db-credentials", "kubectl -n shop describe secret db-credentials"},
		"a Secret that is missing":          {`Secret "db-credentials" is missing key "password"`, `Secret "db-credentials" is missing key "password"`},
		"a path of a service account token": {"/var/run/secrets/kubernetes.io/serviceaccount/token: no such file", "/var/run/secrets/kubernetes.io/serviceaccount/token: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Text(c.in)
			if got != c.want {
				t.Errorf("Text(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
			if again := Text(got); again != got {
				t.Errorf("redacted twice: %q", again)
			}
		})
	}
}

func TestTheSecretsOfACommandLineAreReplaced(t *testing.T) {
	for in, want := range map[string]string{
		"serve --password=hunter2 --verbose":          "serve --password=(redacted) --verbose",
		"serve --db-password hunter2 x":               "serve --db-password (redacted) x",
		"serve --db-password $(PASS)":                 "serve --db-password $(PASS)",
		"serve --token-file --verbose":                "serve --token-file --verbose",
		"/usr/bin/mysqladmin ping -uroot -phunter2":   "/usr/bin/mysqladmin ping -uroot -p(redacted)",
		"timeout 3 redis-cli -a hunter2 ping":         "timeout 3 redis-cli -a (redacted) ping",
		"mongosh -u root -p hunter2":                  "mongosh -u root -p (redacted)",
		"nc -z -p 80 localhost":                       "nc -z -p 80 localhost",
		"curl http://u:hunter2@localhost/ -H x":       "curl http://(redacted)@localhost/ -H x",
		"pg_isready -h localhost -U postgres -p 5432": "pg_isready -h localhost -U postgres -p 5432",
	} {
		words := strings.Fields(in)
		if got := strings.Join(Args(words), " "); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if !slices.Equal(words, strings.Fields(in)) {
			t.Errorf("%s: the command itself was changed", in)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("password=", "hunter2", " and")
	f.Add("Authorization: Bearer ", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "")
	f.Add(`{"token": "`, `a\"b`, `"}`)
	f.Add("postgres://u:", "pa@ss", "@db/x")
	f.Add("-----BEGIN PRIVATE KEY-----", "\n", "-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, before, secret, behind string) {
		text := before + secret + behind
		once := Text(text)
		if twice := Text(once); twice != once {
			t.Errorf("%q redacted is %q, and once more %q", text, once, twice)
		}
		if len(once) > 2*len(text)+2*len(Mark)*(1+strings.Count(text, "\n")+len(text)/4) {
			t.Errorf("%d bytes became %d", len(text), len(once))
		}
		if !slices.ContainsFunc([]byte(secret), func(c byte) bool { return c < '0' || c > 'z' || c > '9' && c < 'A' || c > 'Z' && c < 'a' }) && len(secret) >= 8 {
			for _, lead := range []string{"password=", "postgres://u:", "Authorization: Bearer A1", `{"api_key":"`} {
				tail := map[bool]string{true: "@db/x"}[strings.HasPrefix(lead, "postgres")]
				if got := Text(lead + secret + tail); strings.Contains(got, secret) {
					t.Errorf("%q shows its secret: %q", lead+secret+tail, got)
				}
			}
		}
	})
}
