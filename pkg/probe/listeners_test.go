package probe

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const proc = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 375431 2 000000008352db78 100 0 0 10 0
   1: 0302F40A:0050 014D1EAC:E964 01 00000000:00000000 00:00000000 00000000     0        0 375432 2 000000008352db78 100 0 0 10 0
   2: 0302F40A:2378 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 375433 2 000000008352db78 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 375848 2 00000000fc8e93c1 100 0 0 10 0
   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 375848 2 00000000fc8e93c1 100 0 0 10 0
   2: 0000000000000000FFFF00000302F40A:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 375848 2 00000000fc8e93c1 100 0 0 10 0
`

func TestListenersAreReadFromProc(t *testing.T) {
	var got []string
	for _, l := range ParseListeners(proc) {
		got = append(got, fmt.Sprintf("%s anywhere=%t loopback=%t", l, l.Anywhere(), l.Loopback()))
	}
	want := []string{
		"[::]:80 anywhere=true loopback=false",
		"127.0.0.1:8080 anywhere=false loopback=true",
		"[::1]:8081 anywhere=false loopback=true",
		"10.244.2.3:8082 anywhere=false loopback=false",
		"10.244.2.3:9080 anywhere=false loopback=false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatIsNoListenerIsPassedOver(t *testing.T) {
	for _, line := range []string{
		"", "x", "0: 0100007F:1F90 0:0 01", "0: 0100007F 0:0 0A", "0: 0100007:1F90 0:0 0A", "0: 0100007F01:1F90 0:0 0A",
		"0: 0100007F:1F9 0:0 0A", "0: 0100007F:FFFFF 0:0 0A", "0: ZZ00007F:1F90 0:0 0A", "0: :1F90 0:0 0A", "0: 0100007F:+F90 0:0 0A",
	} {
		if got := ParseListeners(line); len(got) > 0 {
			t.Errorf("%q gives %v", line, got)
		}
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add(proc)
	f.Add("0: 0100007F:1F90 0 0A\n")
	f.Fuzz(func(t *testing.T, text string) {
		first := ParseListeners(text)
		if !slices.Equal(first, ParseListeners(text)) {
			t.Error("two answers to one text")
		}
		for _, l := range first {
			if !l.Address.IsValid() || l.Port < 0 || l.Port > 65535 || l.String() == "" {
				t.Errorf("%+v", l)
			}
		}
	})
}
