package dns

import "sigs.k8s.io/yaml"

// parseKubelet reads a KubeletConfiguration as far as DNS goes.
func parseKubelet(text string) Kubelet {
	var k Kubelet
	if len(text) > maxText || yaml.Unmarshal([]byte(text), &k) != nil {
		return Kubelet{}
	}
	return k
}
