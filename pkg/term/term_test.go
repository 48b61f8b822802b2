package term

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain text stays":                       {`web-7d4b9 "C:\x"`, `web-7d4b9 "C:\x"`},
		"an escape sequence is shown":            {"\x1b[2Jgone\x1b]0;title\a", `\x1b[2Jgone\x1b]0;title\x07`},
		"an 8-bit control sequence is shown":     {"\u009b31m", `\u009b31m`},
		"a raw 8-bit byte is shown":              {"\x9b31m", `\x9b31m`},
		"invalid UTF-8 is shown":                 {"a\xff\xc3", `a\xff\xc3`},
		"a real replacement character stays":     {"\ufffd", "\ufffd"},
		"line feeds and returns are shown":       {"a\r\nb\tc", `a\r\nb\tc`},
		"DEL is shown":                           {"a\x7f", `a\x7f`},
		"a bidirectional override is shown":      {"user\u202etxt.exe", `user\u202etxt.exe`},
		"bidirectional isolates are shown":       {"\u2066x\u2069", `\u2066x\u2069`},
		"zero-width characters are shown":        {"we\u200bb\u2060\ufeff", `we\u200bb\u2060\ufeff`},
		"line separators are shown":              {"a\u2028b\u2029c\u0085", `a\u2028b\u2029c\u0085`},
		"hidden tag characters are shown":        {"a\U000e0041", `a\U000e0041`},
		"hidden variation selectors are shown":   {"a\U000e0100\ufe00", `a\U000e0100\ufe00`},
		"invisible fillers are shown":            {"a\u3164\u115f", `a\u3164\u115f`},
		"a workflow command loses its colon":     {"::error::x ::stop-commands::y", `\x3a:error::x \x3a:stop-commands::y`},
		"so does one in brackets its hash":       {"##[error]x ###vso[task.setvariable]y ##teamcity[z", `\x23#[error]x #\x23#vso[task.setvariable]y \x23#teamcity[z`},
		"a heading stays":                        {"## [x] ##", "## [x] ##"},
		"an address stays":                       {"::1 and ::ffff:10.0.0.1 and std::vector::x", "::1 and ::ffff:10.0.0.1 and std::vector::x"},
		"words of the world stay":                {"名前 प्रोडक्शन عربى é ❤️", "名前 प्रोडक्शन عربى é ❤️"},
		"a pile of combining marks is broken up": {"e" + strings.Repeat("\u0301", 5), "e\u0301\u0301\u0301" + `\u0301\u0301`},
	} {
		t.Run(name, func(t *testing.T) {
			got := Escape(c.in)
			if got != c.want {
				t.Errorf("Escape(%q) = %q, want %q", c.in, got, c.want)
			}
			if again := Escape(got); again != got {
				t.Errorf("escaping twice gives %q", again)
			}
		})
	}
	if got, want := EscapeLines("a\n\tb\x1b"), "a\n    b\\x1b"; got != want {
		t.Errorf("EscapeLines = %q, want %q", got, want)
	}
}

func FuzzEscapedTextIsHarmless(f *testing.F) {
	f.Add("\x1b[31m\u202e\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, style := range []Style{{Unicode: true}, {}} {
			got := style.Text(s)
			if !utf8.ValidString(got) {
				t.Fatalf("%q is not valid UTF-8", got)
			}
			for _, r := range got {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || (!style.Unicode && r > 0x7e) {
					t.Fatalf("%q lets %U through", got, r)
				}
			}
			if w := Width(style.Cut(got, 10)); w > 10 {
				t.Fatalf("%q cut to 10 is %d wide", got, w)
			}
			if w := Width(TruncateMiddle(got, 10, "…")); w > 10 {
				t.Fatalf("%q cut in the middle to 10 is %d wide", got, w)
			}
		}
	})
}

func TestASCII(t *testing.T) {
	if got, want := (Style{}).Text("/ → Service/名 … \u009b"), `/ -> Service/\u540d ... \u009b`; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
}

func TestTruncate(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		width int
		want  string
	}{
		"what fits stays":              {"frontend", 8, "frontend"},
		"what does not is cut":         {"frontend", 5, "fron…"},
		"wide characters count double": {"名前空間", 5, "名前…"},
		"no half of a wide character":  {"名前空間", 4, "名…"},
		"no width at all":              {"web", 0, ""},
		"room for the ellipsis alone":  {"web", 1, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Truncate(c.in, c.width, "…"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got, want := TruncateMiddle("Pod/frontend-7d4b9-xk2lp", 19, "…"), "Pod/fronten…9-xk2lp"; got != want {
		t.Errorf("TruncateMiddle = %q, want %q", got, want)
	}
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"web": 3, "名前": 4, "e\u0301": 1, "👍": 2, "└─ ✗": 4} {
		if got := Width(in); got != want {
			t.Errorf("Width(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for in, want := range map[string]string{
		"kubectl rollout undo deployment/frontend now\nend": "kubectl rollout undo|deployment/frontend|now|end",
		"labels = app=frontend,tier=front,zone=east and so": "labels =|app=frontend,|tier=front,zone=east|and so",
		"a,b is short":             "a,b is short",
		"sha256:0123456789abcdef0": "sha256:0123456789abcdef0",
	} {
		if got := strings.Join(Wrap(in, 20), "|"); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestColumnsOutweighThatOutIsNoTerminal(t *testing.T) {
	if got := (Streams{Out: &strings.Builder{}, Columns: 104}).Style(ColorAuto); got != (Style{Width: 104}) {
		t.Errorf("the style is %+v", got)
	}
}

func TestStyleOfAPipe(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		mode ColorMode
		want Style
	}{
		"nothing said":                      {nil, "", Style{}},
		"a pipe is never cut":               {map[string]string{"COLUMNS": "40"}, "", Style{}},
		"always outweighs NO_COLOR":         {map[string]string{"NO_COLOR": "1", "TERM": "dumb"}, ColorAlways, Style{Color: true}},
		"CLICOLOR_FORCE colours a pipe":     {map[string]string{"CLICOLOR_FORCE": "1"}, ColorAuto, Style{Color: true}},
		"NO_COLOR outweighs CLICOLOR_FORCE": {map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, ColorAuto, Style{}},
		"an empty NO_COLOR says nothing":    {map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": ""}, ColorAuto, Style{Color: true}},
		"never outweighs CLICOLOR_FORCE":    {map[string]string{"CLICOLOR_FORCE": "1"}, ColorNever, Style{}},
		"LANG says UTF-8":                   {map[string]string{"LANG": "de_CH.UTF-8"}, "", Style{Unicode: true}},
		"LC_ALL outweighs LANG":             {map[string]string{"LANG": "de_CH.UTF-8", "LC_ALL": "C"}, "", Style{}},
		"C.utf8 is UTF-8":                   {map[string]string{"LC_CTYPE": "C.utf8"}, "", Style{Unicode: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Streams{Out: &bytes.Buffer{}, Getenv: func(name string) string { return c.env[name] }}
			if got := s.Style(c.mode); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestColorModeIsAFlag(t *testing.T) {
	var m ColorMode
	if m.String() != "auto" {
		t.Errorf("the default is %q", m.String())
	}
	if err := m.Set("sometimes"); err == nil || m.String() != "auto" {
		t.Error("a wrong value must be refused and change nothing")
	}
	if err := m.Set("never"); err != nil || m != ColorNever {
		t.Errorf("Set: %v, %q", err, m)
	}
}
