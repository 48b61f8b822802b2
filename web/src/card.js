// A box of the picture: its size, and how it is drawn.
import { drawn } from "./element.js";
import { tones } from "./model.js";

const signs = { ok: "✓", busy: "⋯", warn: "!", bad: "✗", unknown: "?", none: "·" };
const widest = 270;
const narrowest = 128;
const pad = 14;

const pen = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;
const fonts = { name: `600 14px ${family}`, small: `12px ${family}` };
const known = new Map();

function width(text, font) {
  const key = font + text;
  if (!known.has(key)) {
    pen.font = fonts[font];
    known.set(key, pen.measureText(text).width);
  }
  return known.get(key);
}

// cut shortens in the middle: both ends of a name tell it from others.
function cut(text, font, room) {
  if (width(text, font) <= room) return text;
  const signs = [...text];
  let keep = Math.max(2, Math.floor((signs.length * room) / width(text, font)) - 1);
  for (;;) {
    const head = Math.ceil(keep / 2);
    const short = signs.slice(0, head).join("") + "…" + signs.slice(signs.length - (keep - head)).join("");
    if (keep <= 2 || pen.measureText(short).width <= room) return short;
    keep--;
  }
}

// measure decides what a box says and how large it is.
export function measure(n) {
  if (n.lines) return;
  const status = n.status ? (n.tone === "none" ? "" : signs[n.tone] + " ") + n.status : "";
  n.lines = { name: n.name, status, why: n.why !== n.status ? n.why || n.wide || "" : "" };
  const wanted = Math.max(width(n.name, "name"), width(status, "small"), Math.min(170, width(n.lines.why, "small")), width(n.kind, "small") + width(n.ready, "small") + 24);
  n.w = Math.min(widest, Math.max(narrowest, Math.ceil(wanted) + 2 * pad + 1));
  n.rows = [status, n.lines.why].filter(Boolean).length;
  n.h = 46 + n.rows * 17 - (n.kind || n.ready ? 0 : 16);
}

// spoken is the box in words.
export function spoken(n) {
  const parts = [`${n.kind} ${n.name}`.trim(), n.ready && `${n.ready} ready`, n.tone !== "none" && tones[n.tone], n.status !== tones[n.tone] && n.status, n.why];
  if (n.findings.length) parts.push(n.findings.length === 1 ? "1 finding" : `${n.findings.length} findings`);
  return parts.filter(Boolean).join(", ");
}

export function draw(n, below) {
  measure(n);
  const room = n.w - 2 * pad;
  const g = drawn("g", { class: `node tone-${n.tone}`, role: "button", tabindex: "-1", "aria-label": spoken(n) });
  g.append(drawn("title", {}, spoken(n)));
  if (n.isGroup) g.append(drawn("rect", { class: "under", x: 5, y: 5, width: n.w, height: n.h, rx: 9 }));
  g.append(drawn("rect", { class: "box", width: n.w, height: n.h, rx: 9 }), drawn("path", { class: "edge-mark", d: `M9 .5H7A6.5 6.5 0 0 0 .5 7V${n.h - 7}A6.5 6.5 0 0 0 7 ${n.h - 0.5}H9A4 4 0 0 1 5 ${n.h - 5}V5A4 4 0 0 1 9 .5Z` }));
  let y = 20;
  if (n.kind || n.ready) {
    g.append(drawn("text", { class: "kind", x: pad, y }, cut(n.kind, "small", room - (n.ready ? Math.min(room / 2, width(n.ready, "small")) + 10 : 0))));
    if (n.ready) g.append(drawn("text", { class: "ready", x: n.w - pad, y, "text-anchor": "end" }, cut(n.ready, "small", room / 2)));
    y += 17;
  }
  g.append(drawn("text", { class: "name", x: pad, y }, cut(n.name, "name", room)));
  if (n.lines.status) g.append(drawn("text", { class: "status", x: pad, y: (y += 17) }, cut(n.lines.status, "small", room)));
  if (n.lines.why) g.append(drawn("text", { class: "why", x: pad, y: (y += 17) }, cut(n.lines.why, "small", room)));
  if (below) {
    const label = n.isGroup || n.folded ? "+" : "−";
    g.append(drawn("g", { class: "fold", transform: `translate(${n.w},${n.h / 2})` }, drawn("circle", { r: 10 }), drawn("text", { y: 4.5, "text-anchor": "middle" }, label)));
  }
  return g;
}
