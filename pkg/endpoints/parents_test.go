package endpoints

import (
	"strings"
	"testing"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// TestParentsOfRoutes: what keeps a Gateway from serving a route is named, and
// what only looks so is not.
func TestParentsOfRoutes(t *testing.T) {
	const status = "}\nstatus: {parents: [{parentRef: {name: edge}, conditions: [{type: Accepted, status: 'False', reason: NotAllowed, message: not here, observedGeneration: %}]}]"
	for name, c := range map[string]struct {
		scene    func(*scene)
		says     string // nothing: it is silent
		severity finding.Severity
	}{
		"no such Gateway":                      {hung("{name: egde}", ""), "Gateway/egde, which does not exist in namespace shop, so nobody sends requests by it; Gateway/edge is there", finding.Error},
		"no such Gateway, and one that serves": {hung("{name: egde}, {name: edge}", ""), "which does not exist", finding.Warning},
		"no such listener":                     {hung("{name: edge, sectionName: htp}", ""), "listener htp of Gateway/edge, which has only http 80", finding.Error},
		"no listener on the port":              {hung("{name: edge, port: 443}", ""), "listener 443", finding.Error},
		"of another namespace":                 {manifest(strings.Replace(route("{name: web, namespace: shop, port: 80}", ""), "namespace: front", "namespace: shop", 1)), "does not exist in namespace shop", finding.Error},
		"another host":                         {hung("{name: edge}", ", hostnames: [shop.example.org]"), "serves *.example.com only", finding.Error},
		"its host":                             {hung("{name: edge}", ", hostnames: [shop.example.com]"), "", ""},
		"its listener":                         {hung("{name: edge, sectionName: http, port: 80}", ""), "", ""},
		"the Service of a mesh":                {hung("{name: web, kind: Service, group: ''}", ""), "", ""},
		"no parent":                            {hung("", ""), "names no Gateway", finding.Warning},
		"refused by the controller":            {hung("{name: edge}", strings.Replace(status, "%", "2", 1)), "Gateway/edge does not take it: not here", finding.Error},
		"refused as it was before":             {hung("{name: edge}", strings.Replace(status, "%", "1", 1)), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			c.scene(s)
			got := find(s.judge(t).Findings, code("route-not-attached"))
			switch {
			case c.says == "" && got != nil:
				t.Errorf("it says %s", got.Message)
			case c.says != "" && got == nil:
				t.Error("it is silent")
			case c.says != "" && (!strings.Contains(got.Message, c.says) || got.Severity != c.severity || len(got.Fix) == 0):
				t.Errorf("it says %s %q with %v", got.Severity, got.Message, got.Fix)
			}
		})
	}
}
