// The rows of the list as nodes that can be folded, filtered and drawn.

// The tones, worst first, and what they are called.
export const tones = { bad: "broken", warn: "warning", busy: "in progress", unknown: "unknown", ok: "ok", none: "no state" };

// Siblings that say the same are drawn as one from so many on.
const fewestAlike = 4;

// More boxes than this are not drawn at first: what is well is folded.
const enoughAtFirst = 90;

export function read(rows) {
  const nodes = [...rows.querySelectorAll("li")].map((item, place) => nodeOf(item, place));
  const byItem = new Map(nodes.map((n) => [n.item, n]));
  const roots = [];
  const links = []; // to what is shown elsewhere
  for (const n of nodes) {
    n.parent = byItem.get(n.item.parentElement.closest("li")) ?? null;
    if (n.to !== null && nodes[n.to] && n.parent) links.push({ from: n.parent, to: nodes[n.to], by: n });
    else if (n.parent) n.parent.children.push(n);
    else roots.push(n);
  }
  for (const n of [...nodes].reverse()) sum(n);
  const model = { nodes, roots, links, groups: [], selected: null, fits: () => true, query: "" };
  gather(model);
  return model;
}

function nodeOf(item, place) {
  const row = item.firstElementChild;
  const text = (name) => row.querySelector("." + name)?.textContent ?? "";
  const data = item.dataset;
  return {
    place, item, row, children: [], parent: null, group: null, folded: false,
    tone: data.tone, relation: data.relation, asked: "asked" in data, guessed: "guessed" in data,
    findings: (data.findings ?? "").split(" ").filter(Boolean), to: data.to === undefined ? null : Number(data.to),
    kind: text("kind"), name: text("name"), ready: text("ready"), status: text("status"), why: text("why"), wide: text("wide"), ns: text("ns"), lesson: text("lesson"),
    text: row.textContent.toLowerCase(),
  };
}

// sum says of a subtree how many nodes it has, and whether all is well in it.
function sum(n) {
  n.size = 1 + n.children.reduce((s, c) => s + c.size, 0);
  n.quiet = (n.tone === "ok" || n.tone === "none") && !n.findings.length && !n.asked && n.children.every((c) => c.quiet);
  n.holdsAsked = n.asked || n.children.some((c) => c.holdsAsked);
}

// gather puts siblings that say the same into groups.
function gather(model) {
  for (const siblings of [model.roots, ...model.nodes.map((n) => n.children)]) {
    const alike = new Map();
    for (const n of siblings) {
      if (n.holdsAsked || !n.kind) continue;
      const key = likeness(n);
      alike.set(key, [...(alike.get(key) ?? []), n]);
    }
    for (const all of alike.values()) {
      const members = all[0].quiet ? all : all.slice(1); // of what is not well, one is shown
      if (all.length < fewestAlike) continue;
      const first = members[0];
      const group = {
        members, parent: first.parent, children: [], tone: first.tone, relation: first.relation, findings: [], kind: "",
        name: `${members.length} × ${first.kind}`, ready: "", status: first.status, why: all[0].quiet ? "" : "like the one above",
        size: members.reduce((s, m) => s + m.size, 0), open: false, isGroup: true, guessed: first.guessed, quiet: first.quiet, text: "",
      };
      for (const m of members) m.group = group;
      model.groups.push(group);
    }
  }
}

function likeness(n) {
  const own = [n.kind, n.tone, n.relation, n.status, n.guessed].join("\0");
  return n.quiet ? own : own + "\0" + n.children.map(likeness).join("\x01");
}

// shown are the children that are drawn: those that fit, equal ones as one.
export function shown(model, n) {
  const siblings = n ? n.children : model.roots;
  if (n && (n.folded || n.isGroup)) return [];
  const drawn = [];
  for (const c of siblings) {
    if (c.hidden) continue;
    if (!c.group || c.group.open) drawn.push(c);
    else if (!drawn.includes(c.group)) drawn.push(c.group);
  }
  return drawn;
}

// refit applies the filter: what does not fit stays only where it leads to what does.
export function refit(model) {
  for (const n of [...model.nodes].reverse()) {
    n.fitting = model.fits(n);
    n.hidden = !n.fitting && n.children.every((c) => c.hidden);
  }
  const cut = (n) => {
    n.hidden = true;
    n.children.forEach(cut);
  };
  for (const n of model.nodes) if (model.without?.has(n.relation)) cut(n);
}

// unfoldTo makes a node visible.
export function unfoldTo(n) {
  for (let at = n; at; at = at.parent) {
    if (at.group) at.group.open = true;
    if (at !== n) at.folded = false;
  }
}

// foldAtFirst keeps a large picture small: what is well is folded, and if that
// is not enough all that does not lead to what is not.
export function foldAtFirst(model) {
  const count = (n) => shown(model, n).reduce((s, c) => s + 1 + count(c), 0);
  if (count(null) <= enoughAtFirst) return;
  for (const n of model.nodes) n.folded = n.children.length > 0 && n.children.every((c) => c.quiet) && !n.asked;
}

// foldAll folds everything but what leads to what was asked about.
export function foldAll(model, folded) {
  for (const n of model.nodes) n.folded = folded && n.children.length > 0 && !(n.holdsAsked && !n.asked) && n.parent !== null;
  for (const g of model.groups) g.open = !folded;
}
