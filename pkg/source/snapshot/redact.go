package snapshot

import (
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/redact"
)

// redactObject takes out of an object what a snapshot must not carry:
//   - all of a Secret but its metadata;
//   - of the last applied configuration, all but the version that removed-api needs;
//   - values of environment variables whose name sounds secret, wherever a
//     container is described: pods, templates, ControllerRevisions, custom kinds;
//   - the values of flags and headers whose name does;
//   - token-like text everywhere else: messages, annotations, addresses, the
//     data of a ConfigMap, the fields of custom kinds.
func redactObject(gk schema.GroupKind, content map[string]any) {
	if gk == secret {
		for key := range content {
			if key != "apiVersion" && key != "kind" && key != "metadata" {
				delete(content, key)
			}
		}
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			redactApplied(annotations)
		}
	}
	redactTree(content)
}

// redactApplied leaves of what was applied what tells its version, and of a
// Service its ports: one that a patch lost stands nowhere else.
func redactApplied(annotations map[string]any) {
	applied, ok := annotations[corev1.LastAppliedConfigAnnotation].(string)
	if !ok {
		return
	}
	var version struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if json.Unmarshal([]byte(applied), &version) != nil {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		return
	}
	short, _ := json.Marshal(version)
	var service struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			Ports []corev1.ServicePort `json:"ports"`
		} `json:"spec"`
	}
	if version.Kind == "Service" && version.APIVersion == "v1" && json.Unmarshal([]byte(applied), &service) == nil {
		short, _ = json.Marshal(service)
	}
	annotations[corev1.LastAppliedConfigAnnotation] = string(short)
}

// redactTree goes through all that strangers wrote into an object.
func redactTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			list, isList := value.([]any)
			text, isText := value.(string)
			switch {
			case isList && (key == "env" || key == "httpHeaders"):
				redactNamed(list)
			case isList && (key == "args" || key == "command"):
				redactWords(list)
			case isText && text != "" && redact.Field(key):
				v[key] = redact.Mark
			default:
				v[key] = redactTree(value)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = redactTree(e)
		}
	case string:
		return redact.Text(v)
	}
	return v
}

// redactNamed redacts variables and headers, of which the name tells.
func redactNamed(list []any) {
	for i, e := range list {
		variable, _ := e.(map[string]any)
		name, _ := variable["name"].(string)
		value, ok := variable["value"].(string)
		if ok && value != "" && !strings.HasPrefix(value, "$(") && redact.Name(name) {
			variable["value"] = redact.Mark
		}
		list[i] = redactTree(e)
	}
}

// redactWords redacts a command line, where a flag tells of the word after it.
func redactWords(list []any) {
	words := make([]string, len(list))
	for i, e := range list {
		words[i], _ = e.(string)
	}
	for i, w := range redact.Args(words) {
		if _, ok := list[i].(string); ok {
			list[i] = w
		} else {
			list[i] = redactTree(list[i])
		}
	}
}
