module github.com/leadsman-dev/leadsman/test/e2e

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/leadsman-dev/leadsman/test/cluster v0.0.0
	sigs.k8s.io/yaml v1.6.0
)

require go.yaml.in/yaml/v2 v2.4.4 // indirect

replace github.com/leadsman-dev/leadsman/test/cluster => ../cluster
