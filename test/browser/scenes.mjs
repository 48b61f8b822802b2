// Clusters that nobody recorded: a large one, and one whose names are hostile.

function list(items) {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function object(apiVersion, kind, name, metadata, rest) {
  return { apiVersion, kind, metadata: { name, namespace: "shop", uid: kind + name, creationTimestamp: "2026-03-01T08:00:00Z", ...metadata }, ...rest };
}

const owner = (apiVersion, kind, name) => [{ apiVersion, kind, name, uid: kind + name, controller: true }];

// large has 60 Deployments of 16 pods each: 2,041 nodes. Four of them crash.
export function large() {
  const items = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", uid: "ns" }, status: { phase: "Active" } }];
  for (let d = 0; d < 60; d++) {
    const app = "app-" + d;
    const broken = d % 17 === 3;
    const labels = { app, "pod-template-hash": "x" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "app:v1" }] } };
    const ready = broken ? 15 : 16;
    items.push(object("apps/v1", "Deployment", app, { generation: 1 }, {
      spec: { replicas: 16, selector: { matchLabels: { app } }, template },
      status: { observedGeneration: 1, replicas: 16, updatedReplicas: 16, readyReplicas: ready, availableReplicas: ready },
    }));
    items.push(object("apps/v1", "ReplicaSet", app + "-x", { labels, ownerReferences: owner("apps/v1", "Deployment", app) }, {
      spec: { replicas: 16, selector: { matchLabels: labels }, template }, status: { replicas: 16, readyReplicas: ready, availableReplicas: ready },
    }));
    for (let p = 0; p < 16; p++) {
      const crash = broken && p === 0;
      items.push(object("v1", "Pod", `${app}-x-${p}`, { labels, ownerReferences: owner("apps/v1", "ReplicaSet", app + "-x") }, {
        spec: { nodeName: "n" + (p % 5), containers: [{ name: "c", image: "app:v1" }] },
        status: {
          phase: "Running", podIP: `10.${d}.0.${p + 1}`, conditions: [{ type: "Ready", status: crash ? "False" : "True" }],
          containerStatuses: [{
            name: "c", ready: !crash, restartCount: crash ? 5 : 0, image: "app:v1",
            state: crash ? { waiting: { reason: "CrashLoopBackOff" } } : { running: { startedAt: "2026-03-01T08:00:00Z" } },
            lastState: crash ? { terminated: { exitCode: 1, reason: "Error" } } : {},
          }],
        },
      }));
    }
  }
  return list(items);
}

export const evil = `</script><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>" onclick="x" \u202ejavascript:alert(1)<!--`;

// hostile is a pod that would like to be a program.
export function hostile() {
  return list([
    object("v1", "Pod", evil, { labels: { app: "web" } }, {
      spec: { nodeName: evil, containers: [{ name: evil, image: evil }] },
      status: {
        phase: "Running", podIP: evil, message: evil, conditions: [{ type: "Ready", status: "False", reason: evil, message: evil }],
        containerStatuses: [{ name: evil, ready: false, restartCount: 5, image: evil, state: { waiting: { reason: "CrashLoopBackOff", message: evil } }, lastState: { terminated: { exitCode: 1, reason: evil, message: evil } } }],
      },
    }),
    object("v1", "Service", "web", {}, { spec: { selector: { app: "web" }, clusterIP: "10.96.0.1", ports: [{ port: 80, name: evil, targetPort: evil }] } }),
  ]);
}
