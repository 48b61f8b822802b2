package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// archive writes any members, honest or not.
func archive(t testing.TB, write func(*tar.Writer)) string {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	write(tw)
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func member(t testing.TB, tw *tar.Writer, name, body string) {
	t.Helper()
	if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(body))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tw, body); err != nil {
		t.Fatal(err)
	}
}

// zeros is a bomb: so many bytes of nothing, packed a thousand times smaller.
func zeros(t testing.TB, before string, size int64) string {
	t.Helper()
	var b bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = io.WriteString(gz, before)
	if _, err := io.CopyN(gz, nothingness{}, size); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type nothingness struct{}

func (nothingness) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// allocated is how many bytes f asks for in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const bombed = 1 << 30

// What an archive holds beside honest dumps is refused, each with what to do,
// and the honest ones are read.
func TestHostileMembersAreRefusedInWords(t *testing.T) {
	for name, c := range map[string]struct {
		opts  Options
		write func(*tar.Writer)
		want  string // what the refusal says
	}{
		"a hard link": {Options{}, func(tw *tar.Writer) {
			_ = tw.WriteHeader(&tar.Header{Name: "x.yaml", Typeflag: tar.TypeLink, Linkname: "/etc/shadow"})
		}, "pack the files themselves"},
		"a link out of sight": {Options{}, func(tw *tar.Writer) {
			_ = tw.WriteHeader(&tar.Header{Name: "README", Typeflag: tar.TypeSymlink, Linkname: "../../etc"})
		}, "pack the files themselves"},
		"a name that climbs": {Options{}, func(tw *tar.Writer) { member(t, tw, "a/../../x.yaml", "a: 1\n") }, "from within its folder"},
		"a giant":            {Options{MaxFile: 1 << 16}, func(tw *tar.Writer) { member(t, tw, "x.yaml", strings.Repeat("#", 1<<17)) }, "larger than 65536 bytes: take it apart"},
		"the same name twice": {Options{}, func(tw *tar.Writer) {
			member(t, tw, "./pod.yaml", strings.ReplaceAll(podYAML, "name: web", "name: other"))
		}, "this name twice"},
		"an archive within": {Options{}, func(tw *tar.Writer) {
			member(t, tw, "x.tar", archive(t, func(in *tar.Writer) { member(t, in, "x.yaml", podYAML) }))
		}, "a --snapshot of its own"},
		"a bomb within":              {Options{}, func(tw *tar.Writer) { member(t, tw, "x.yaml.gz", zeros(t, "", 256<<20)) }, "more than 300 times its size"},
		"a packed text that is none": {Options{}, func(tw *tar.Writer) { member(t, tw, "x.yaml.gz", "\x1f\x8b\x08rubbish") }, "cannot be unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			text := archive(t, func(tw *tar.Writer) { member(t, tw, "pod.yaml", podYAML); c.write(tw) })
			s, gaps, err := Read([]string{"-"}, strings.NewReader(text), c.opts)
			if err != nil || len(gaps) != 1 || !strings.Contains(gaps[0].Detail, c.want) {
				t.Fatal(err, gaps)
			}
			if n := len(s.Contents().Objects[pods]); n != 1 {
				t.Errorf("%d pods", n)
			}
		})
	}
}

// A member with holes says that it is of any size, in a few bytes.
func TestAMemberWithHolesIsRefused(t *testing.T) {
	text := archive(t, func(tw *tar.Writer) {
		member(t, tw, "PaxHeaders/x", "") // makes room for what no writer writes
		member(t, tw, "pod.yaml", podYAML)
	})
	records := ""
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=x.yaml", "GNU.sparse.realsize=999999999"} {
		records += fmt.Sprintf("%d %s\n", len(r)+4, r)
	}
	sparse := archive(t, func(tw *tar.Writer) { member(t, tw, "PaxHeaders/x", records) })
	header := []byte(sparse[:1024])
	header[156] = 'x'
	sum := 0
	copy(header[148:156], "        ")
	for _, b := range header[:512] {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	holes := archive(t, func(tw *tar.Writer) { member(t, tw, "x.yaml", "1\n0\n999999999\n"+strings.Repeat("\x00", 512-14)) })
	text = string(header) + holes[:1024] + text
	var gapText string
	used := allocated(func() {
		_, gaps, err := Read([]string{"-"}, strings.NewReader(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		gapText = fmt.Sprint(gaps)
	})
	if !strings.Contains(gapText, "with holes") {
		t.Errorf("it is not refused as one: %s", gapText)
	}
	if used > bombed/2 {
		t.Errorf("%d bytes for nothing", used)
	}
}

func TestBombsAreRefusedBeforeTheyGoOff(t *testing.T) {
	for name, text := range map[string]string{
		"a packed text":    zeros(t, "", bombed),
		"a packed archive": zeros(t, archive(t, func(tw *tar.Writer) { member(t, tw, "pod.yaml", podYAML) })[:1536], bombed),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			gapText := ""
			used := allocated(func() {
				_, gaps, failed := Read([]string{"-"}, strings.NewReader(text), Options{})
				err, gapText = failed, fmt.Sprint(gaps)
			})
			if err != nil {
				gapText += err.Error()
			}
			if name == "a packed text" && !strings.Contains(gapText, "more than 300 times its size") {
				t.Errorf("%s", gapText)
			}
			if used > bombed/2 {
				t.Errorf("%d bytes for a bomb of %d", used, bombed)
			}
		})
	}
}

func TestABombOfARecordingIsRefused(t *testing.T) {
	head := `{"apiVersion":"leadsman.dev/v1alpha1","kind":"Recording"}` + "\n"
	text := zeros(t, head, bombed)
	var failed error
	used := allocated(func() {
		p, err := OpenJournal(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_, failed = p.Next()
	})
	if failed == nil || !strings.Contains(failed.Error(), "bytes and is not read") && !strings.Contains(failed.Error(), "times its size") {
		t.Errorf("%v", failed)
	}
	if used > bombed/2 {
		t.Errorf("%d bytes for a bomb of %d", used, bombed)
	}
	var lines bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&lines, gzip.BestCompression)
	_, _ = io.WriteString(gz, head)
	tick := strings.Repeat(" ", 4000) + `{"at":"2026-03-01T12:00:00Z","tick":true}` + "\n"
	for range bombed / len(tick) / 4 {
		_, _ = io.WriteString(gz, tick)
	}
	_ = gz.Close()
	p, err := OpenJournal(&lines)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = p.Next()
	}
	if !strings.Contains(err.Error(), "times its size") {
		t.Errorf("a bomb of lines: %v", err)
	}
}

// Merge keys copy, aliases point: both can stand for gigabytes.
func TestAliasesAndMergesDoNotExplode(t *testing.T) {
	merges := "a0: &a0 {k: v, l: w}\n"
	for i := 1; i < 30; i++ {
		merges += fmt.Sprintf("a%d: &a%d {<<: *a%d, x%d: *a%d, y%d: *a%d}\n", i, i, i-1, i, i-1, i, i-1)
	}
	for name, doc := range map[string]string{"merges": merges, "aliases": laughs(), "a long text": bomb()} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			used := allocated(func() {
				if out, err := toJSON([]byte(doc)); err == nil && len(out) > 32<<20 {
					t.Errorf("%d bytes became %d", len(doc), len(out))
				}
			})
			if used > bombed/2 {
				t.Errorf("%d bytes for %d", used, len(doc))
			}
			if d := time.Since(began); d > time.Minute {
				t.Errorf("it took %s", d)
			}
		})
	}
}

func TestWhatIsManyIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"links": {archive(t, func(tw *tar.Writer) {
			member(t, tw, "pod.yaml", podYAML)
			for i := range 5000 {
				_ = tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d.yaml", i), Typeflag: tar.TypeSymlink, Linkname: "x"})
			}
		}), "4900 more files"},
		"documents that are none": {podYAML + strings.Repeat("---\nhello\n", 5000), "4900 more files"},
		"JSON that is none":       {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}` + strings.Repeat("\n{\"a\":[", 200_000), "after 50 parts that are no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, gaps, err := Read([]string{"-"}, strings.NewReader(c.text), Options{})
			if err != nil || len(gaps) > mostTold+1 || !strings.Contains(fmt.Sprint(gaps), c.want) {
				t.Errorf("%v, %d gaps, none says %q: %.300s", err, len(gaps), c.want, fmt.Sprint(gaps))
			}
			if d := time.Since(began); d > time.Minute {
				t.Errorf("it took %s", d)
			}
		})
	}
}

func TestAFileOfTooManyDocumentsIsNotReadOn(t *testing.T) {
	for name, docs := range map[string][]document{
		"YAML": splitYAML([]byte(strings.Repeat("a: 1\n---\n", 100)), 10),
		"JSON": splitJSON([]byte(strings.Repeat("{}\n", 100)), 10),
	} {
		if len(docs) != 11 || !errors.Is(docs[10].err, errDocuments) || docs[9].err != nil {
			t.Errorf("%s: %d documents, %v", name, len(docs), docs[len(docs)-1].err)
		}
	}
}

func TestTooManyMembersAreNotReadToTheEnd(t *testing.T) {
	text := archive(t, func(tw *tar.Writer) {
		for i := range 300 {
			member(t, tw, fmt.Sprintf("%d.yaml", i), strings.ReplaceAll(podYAML, "name: web", fmt.Sprintf("name: web-%d", i)))
		}
	})
	s, gaps, err := Read([]string{"-"}, strings.NewReader(text), Options{MaxFiles: 200})
	if err != nil || len(gaps) != 1 || !strings.Contains(gaps[0].Detail, "more than 200 files") || !strings.Contains(gaps[0].Detail, "--snapshot of its own") {
		t.Fatal(err, gaps)
	}
	if n := len(s.Contents().Objects[pods]); n != 200 {
		t.Errorf("%d pods", n)
	}
}
