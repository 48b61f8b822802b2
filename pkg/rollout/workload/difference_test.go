package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

type change = func(*corev1.PodTemplateSpec)

func app(f func(*corev1.Container)) change {
	return func(t *corev1.PodTemplateSpec) { f(&t.Spec.Containers[0]) }
}

func imaged(image string) change { return app(func(c *corev1.Container) { c.Image = image }) }

func env(pairs ...string) change {
	return app(func(c *corev1.Container) {
		for i := 0; i < len(pairs); i += 2 {
			c.Env = append(c.Env, corev1.EnvVar{Name: pairs[i], Value: pairs[i+1]})
		}
	})
}

func second(t *corev1.PodTemplateSpec) {
	t.Spec.Containers = append(t.Spec.Containers, corev1.Container{Name: "proxy", Image: "reg.example.com/envoy:1.30"})
}

func all(changes ...change) change {
	return func(t *corev1.PodTemplateSpec) {
		for _, c := range changes {
			c(t)
		}
	}
}

func none(*corev1.PodTemplateSpec) {}

const digest1, digest2 = "sha256:1111111222222233333334444444555555566666667777777888888899999990", "sha256:aaaaaaabbbbbbbcccccccdddddddeeeeeeefffffff0000000111111122222223"

func TestDifferencesAreToldInWords(t *testing.T) {
	limits := func(memory string) change {
		return app(func(c *corev1.Container) {
			c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}
		})
	}
	readiness := func(path string, period int32) change {
		return app(func(c *corev1.Container) {
			c.ReadinessProbe = &corev1.Probe{PeriodSeconds: period, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8080)}}}
		})
	}
	args := func(a ...string) change { return app(func(c *corev1.Container) { c.Args = a }) }
	fromSecret := func(name string) change {
		return app(func(c *corev1.Container) {
			c.Env = []corev1.EnvVar{{Name: "DB_PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "pw"}}}}
		})
	}
	volume := func(configMap string) change {
		return func(t *corev1.PodTemplateSpec) {
			t.Spec.Volumes = []corev1.Volume{{Name: "conf", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}}}}}
		}
	}
	annotated := func(pairs map[string]string) change {
		return func(t *corev1.PodTemplateSpec) { t.Annotations = pairs }
	}
	for _, tc := range []struct {
		name     string
		old, new change
		want     []string
	}{
		{"nothing", none, none, nil},
		{"the hash is none", none, func(t *corev1.PodTemplateSpec) { t.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "abc" }, nil},
		{"a tag", imaged("netapp:v1"), imaged("netapp:v2"), []string{"image netapp:v1 → v2"}},
		{"a tag in a registry with a port", imaged("reg:5000/a/netapp:v1"), imaged("reg:5000/a/netapp:v2"), []string{"image netapp:v1 → v2"}},
		{"a digest", imaged("netapp@" + digest1), imaged("netapp@" + digest2), []string{"image netapp digest sha256:1111111 → sha256:aaaaaaa"}},
		{"tag and digest", imaged("netapp:v1@" + digest1), imaged("netapp:v2@" + digest2), []string{"image netapp:v1@sha256:1111111 → v2@sha256:aaaaaaa"}},
		{"another image", imaged("netapp:v1"), imaged("other:v1"), []string{"image netapp:v1 → other:v1"}},
		{"another registry", imaged("a.example.com/netapp:v1"), imaged("b.example.com/netapp:v1"), []string{"image a.example.com/netapp:v1 → b.example.com/netapp:v1"}},
		{"a tag taken away", imaged("netapp:v1"), imaged("netapp"), []string{"image netapp:v1 → no tag"}},
		{"one of several containers, images first", all(second, env("A", "1")), all(second, env("A", "2"), func(t *corev1.PodTemplateSpec) { t.Spec.Containers[1].Image = "reg.example.com/envoy:1.31" }),
			[]string{"proxy: image envoy:1.30 → 1.31", "app: env A 1 → 2"}},
		{"a container more", none, second, []string{"container proxy added (envoy:1.30)"}},
		{"a container less", second, none, []string{"container proxy removed"}},
		{"an init container", none, func(t *corev1.PodTemplateSpec) {
			t.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "netapp:v1"}}
		}, []string{"init container migrate added (netapp:v1)"}},
		{"an env value", env("LOG_LEVEL", "info"), env("LOG_LEVEL", "debug"), []string{"env LOG_LEVEL info → debug"}},
		{"an env value more and one less", env("A", "1"), env("B", ""), []string{"env A removed", `env B added: ""`}},
		{"many env values", env("A", "1", "B", "1", "C", "1"), env("A", "2", "B", "2", "C", "2"), []string{"3 env values (A, B, C)"}},
		{"env in another order", env("A", "1", "B", "1"), env("B", "1", "A", "1"), []string{"env values in another order"}},
		{"from another Secret", fromSecret("one"), fromSecret("two"), []string{"env DB_PASSWORD from Secret/one key pw → from Secret/two key pw"}},
		{"a limit", limits("128Mi"), limits("256Mi"), []string{"memory limit 128Mi → 256Mi"}},
		{"a first limit", none, limits("256Mi"), []string{"memory limit none → 256Mi"}},
		{"the same limit in other words", limits("1Gi"), limits("1024Mi"), nil},
		{"a probe more", none, readiness("/ready", 5), []string{"readiness probe added"}},
		{"a probe's path", readiness("/ready", 5), readiness("/healthz", 5), []string{"readiness probe path /ready → /healthz"}},
		{"a probe's period", readiness("/ready", 5), readiness("/ready", 1), []string{"readiness probe period 5 s → 1 s"}},
		{"a probe in more ways than one", readiness("/ready", 5), readiness("/x", 1), []string{"readiness probe changed"}},
		{"one argument", args("--level=1", "-v"), args("--level=2", "-v"), []string{"args --level=1 → --level=2"}},
		{"an argument that may be secret", args("--password", "a"), args("--password", "b"), []string{"args changed"}},
		{"an argument that says that it is secret", args("--db-token=a"), args("--db-token=b"), []string{"args changed"}},
		{"a volume", volume("one"), volume("two"), []string{"volume conf changed"}},
		{"restarted", annotated(map[string]string{restartedAt: "1"}), annotated(map[string]string{restartedAt: "2"}), []string{"restarted"}},
		{"an annotation, without its value", none, annotated(map[string]string{"checksum/config": "abc"}), []string{"annotation checksum/config added"}},
		{"a label", none, func(t *corev1.PodTemplateSpec) { t.Labels["track"] = "canary" }, []string{"label track=canary added"}},
		{"the service account", none, func(t *corev1.PodTemplateSpec) { t.Spec.ServiceAccountName = "robot" }, []string{"service account none → robot"}},
		{"the node selector", none, func(t *corev1.PodTemplateSpec) { t.Spec.NodeSelector = map[string]string{"disk": "ssd"} }, []string{"node selector disk=ssd added"}},
		{"tolerations", none, func(t *corev1.PodTemplateSpec) { t.Spec.Tolerations = []corev1.Toleration{{Key: "x"}} }, []string{"tolerations changed"}},
		{"a field without words of its own", none, func(t *corev1.PodTemplateSpec) { t.Spec.HostNetwork = true }, []string{"spec.hostNetwork changed"}},
		{"a container's field without words", none, app(func(c *corev1.Container) { c.TTY = true }), []string{"spec.containers[0].tty changed"}},
	} {
		old, new := template("netapp:v1"), template("netapp:v1")
		tc.old(&old)
		tc.new(&new)
		before, after := old.DeepCopy(), new.DeepCopy()
		got := Difference(&old, &new)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
		if !cmp.Equal(before, &old) || !cmp.Equal(after, &new) {
			t.Errorf("%s: what was read was changed", tc.name)
		}
	}
	volumes := func(names ...string) *corev1.PodTemplateSpec {
		one := template("netapp:v1")
		for _, n := range names {
			one.Spec.Volumes = append(one.Spec.Volumes, corev1.Volume{Name: n})
		}
		return &one
	}
	if diff := cmp.Diff([]string{"spec.volumes[0].name changed", "spec.volumes[1].name changed"}, Difference(volumes("a", "b"), volumes("b", "a"))); diff != "" {
		t.Errorf("order alone: %s", diff)
	}
	if Difference(nil, nil) != nil {
		t.Error("what cannot be read has no difference")
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		secret      bool
	}{
		{"DB_PASSWORD", "hunter2", true}, {"API_KEY", "x", true}, {"GITHUB_TOKEN", "x", true}, {"SMTP_AUTH", "x", true},
		{"URL", "postgres://u:p@db/x", true}, {"DATABASE_URL", "x", true}, {"OPTS", "host=a password=b", true},
		{"X", "ghp_abcdefghijklmnop", true}, {"X", "eyJhbGciOi", true}, {"X", "A1b2C3d4E5f6G7h8I9j0K1", true}, {"X", "-----BEGIN RSA", true},
		{"LOG_LEVEL", "debug", false}, {"PORT", "8080", false}, {"URL", "http://payments.shop.svc.cluster.local:8080/v1", false},
		{"FEATURES", "new-checkout,fast-search,dark-mode", false},
	} {
		if got := secret(tc.name, tc.value); got != tc.secret {
			t.Errorf("%s=%s: %v", tc.name, tc.value, got)
		}
	}
	old, new := template("netapp:v1"), template("netapp:v1")
	env("DB_PASSWORD", "hunter2", "X", "plain")(&old)
	env("DB_PASSWORD", "hunter3", "X", "A1b2C3d4E5f6G7h8I9j0K1")(&new)
	if diff := cmp.Diff([]string{"env DB_PASSWORD changed", "env X changed"}, Difference(&old, &new)); diff != "" {
		t.Error(diff)
	}
}
