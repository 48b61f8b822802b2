package table

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadsman-dev/leadsman/pkg/term"
)

func TestPlain(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		rows    [][]string
		style   term.Style
		want    string
	}{
		"columns align as kubectl's do": {
			[]string{"code", "severity", "title"},
			[][]string{{"tree/oom", "error", "killed"}, {"tree/orphan", "info", ""}},
			term.Style{Width: 10},
			"CODE          SEVERITY   TITLE\ntree/oom      error      killed\ntree/orphan   info\n",
		},
		"wide characters take two cells": {
			[]string{"name", "age"}, [][]string{{"名前", "1d"}, {"e\u0301", "2d"}}, term.Style{Unicode: true},
			"NAME   AGE\n名前   1d\ne\u0301      2d\n",
		},
		"hostile text stays in its cell": {
			[]string{"name", "age"}, [][]string{{"a\x1b[2J\nb\u202e", "1d"}}, term.Style{Unicode: true, Color: true},
			"NAME                AGE\n" + `a\x1b[2J\nb\u202e   1d` + "\n",
		},
		"without headers there are none":       {nil, [][]string{{"a", "b"}}, term.Style{}, "a   b\n"},
		"an empty column is left out":          {[]string{"a", "b", "c"}, [][]string{{"1", "", "3"}}, term.Style{}, "A   C\n1   3\n"},
		"rows may be longer than the headers":  {[]string{"a"}, [][]string{{"1", "2"}}, term.Style{}, "A\n1   2\n"},
		"rows may be shorter than the headers": {[]string{"a", "b"}, [][]string{{"1"}, {"1", "2"}}, term.Style{}, "A   B\n1\n1   2\n"},
		"no rows leave the headers":            {[]string{"a", "b"}, nil, term.Style{}, "A   B\n"},
		"nothing at all is nothing":            {nil, nil, term.Style{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Plain(&b, c.headers, c.rows, c.style); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, b.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func wide(rows int) Table {
	t := Table{Gap: 2, Columns: []Column{{Yield: 2, Min: 20, Middle: true}, {Title: "READY"}, {Title: "STATUS", Yield: 3, Min: 8}, {Title: "WHY", Yield: 1, Min: 6}}}
	for i := range rows {
		t.Rows = append(t.Rows, Row{Cells: []Cell{
			{Lead: "│  └─ ", Text: fmt.Sprintf("Pod/frontend-7d4b9-xk%d", i)}, {Text: "0/1"},
			{Text: "✗ ImagePullBackOff", Tone: term.Bad}, {Text: "selects app=web,service=nginx"},
		}})
	}
	return t
}

func TestNarrowTablesGiveWayInOrder(t *testing.T) {
	for width, want := range map[int]string{
		0:  "│  └─ Pod/frontend-7d4b9-xk0  0/1    ✗ ImagePullBackOff  selects app=web,service=nginx\n",
		80: "│  └─ Pod/frontend-7d4b9-xk0  0/1    ✗ ImagePullBackOff  selects app=web,servic…\n",
		60: "│  └─ Pod/fronten…4b9-xk0  0/1    ✗ ImagePullBackOff  selec…\n",
		50: "│  └─ Pod/fron…9-xk0  0/1    ✗ ImagePullB…  selec…\n",
		30: "│  └─ Pod/fron…9-xk0  0/1    …\n",
		3:  "│ …\n",
	} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var b bytes.Buffer
			table := wide(1)
			if err := table.Write(&b, term.Style{Unicode: true, Width: width}); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(b.String(), "\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func BenchmarkTenThousandRows(b *testing.B) {
	table := wide(10_000)
	for b.Loop() {
		if err := table.Write(io.Discard, term.Style{Unicode: true, Color: true, Width: 80}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestColumnsThatDoNotFitAreLeftOutInOrder(t *testing.T) {
	table := Table{Gap: 1, Columns: []Column{{Title: "NAME", Yield: 1, Min: 4}, {Title: "READY", Drop: 2}, {Title: "STATUS", Yield: 2, Min: 6}, {Title: "AGE", Drop: 1}},
		Rows: []Row{{Cells: []Cell{{Text: "frontend"}, {Text: "0/1"}, {Text: "x broken"}, {Text: "3d"}}}}}
	for width, want := range map[int]string{
		0:  "NAME     READY STATUS   AGE\nfrontend 0/1   x broken 3d\n",
		21: "NAME READY STATUS AGE\nf... 0/1   x b... 3d\n",
		20: "NAME  READY STATUS\nfr... 0/1   x broken\n",
		16: "NAME    STATUS\nfron... x broken\n",
		11: "NAME STATUS\nf... x b...\n",
	} {
		var b bytes.Buffer
		if err := table.Write(&b, term.Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%d columns (-want +got)\n%s", width, diff)
		}
	}
}
