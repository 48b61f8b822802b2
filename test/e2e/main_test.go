package e2e

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var lab Lab

func TestMain(m *testing.M) { os.Exit(Main(m, &lab)) }

var show = flag.Bool("show", false, "print what people see")

// nginx is a pod spec of a server that is well.
const nginx = `containers: [{name: web, image: "nginx:1.25"}]`

const atTheEnd = "at the end: "

// cleanUp sees to it that what the commands do at the end is done however the
// test ends, so that nothing is left outside the namespace, and nothing holds it.
func cleanUp(t *testing.T, namespace string, commands []string) {
	for _, command := range commands {
		if command, ok := strings.CutPrefix(command, atTheEnd); ok {
			t.Cleanup(func() {
				kubectlAtEnd(t, append([]string{"-n", namespace}, strings.Fields(strings.ReplaceAll(command, "NAMESPACE", namespace))...)...)
			})
		}
	}
}
