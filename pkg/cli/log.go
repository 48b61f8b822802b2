package cli

import (
	"flag"
	"io"

	"k8s.io/klog/v2"

	"github.com/leadsman-dev/leadsman/pkg/redact"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

// logTo sends what client-go logs to a stream. With -v 9 that is whatever a
// server answers, headers included: a stranger's text, which may quote the
// credentials that it was sent.
func logTo(w io.Writer) {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL", "one_output": "true"} {
		_ = flags.Set(name, value) // klog's own flags, with values that it knows
	}
	klog.SetOutput(careful{w})
}

// careful writes whole log entries, escaped and without what is secret.
type careful struct{ w io.Writer }

func (c careful) Write(entry []byte) (int, error) {
	_, err := io.WriteString(c.w, term.EscapeLines(redact.Text(string(entry))))
	return len(entry), err
}
