// The picture: a tidy tree from left to right, in the order of the list, that
// can be moved, zoomed and folded. Only the boxes in sight are in the document.
import { hierarchy, tree } from "d3-hierarchy";
import { drawn, element } from "./element.js";
import { draw, measure } from "./card.js";
import { foldAtFirst, shown, unfoldTo } from "./model.js";
import { listen } from "./moves.js";

const between = 14; // boxes of one column
const gap = 58; // columns
const far = 0.42; // below this scale words cannot be read

export class Picture {
  constructor(model, choose) {
    Object.assign(this, { model, choose, x: 0, y: 0, scale: 1, placed: [], elements: new Map() });
    this.edges = drawn("g", { class: "edges" });
    this.boxes = drawn("g", { class: "nodes" });
    this.world = drawn("g", {}, this.edges, this.boxes);
    this.svg = drawn("svg", { role: "presentation" }, this.world);
    this.element = element("div", {
      class: "picture", role: "application", "aria-roledescription": "graph",
      "aria-label": "The picture of the tree. Arrow keys walk from box to box, Enter shows the details, the space bar folds, plus and minus zoom. The list below says the same.",
    }, this.svg);
    listen(this);
    new ResizeObserver(() => this.resized()).observe(this.element);
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  open() {
    foldAtFirst(this.model);
    this.layout();
    const important = this.model.nodes.find((n) => n.findings.includes("0")) ?? this.model.nodes.find((n) => n.asked) ?? this.model.nodes[0];
    unfoldTo(important);
    this.layout();
    this.element.style.minHeight = Math.max(this.model.nodes.length > 60 ? 420 : 280, Math.min(innerHeight * 0.66, this.bounds.h * Math.min(1, this.element.clientWidth / (this.bounds.w + 60)) + 72)) + "px";
    this.fit();
    this.tabStop(important);
    if (this.scale < 0.6) {
      this.scale = 0.8;
      this.reveal(important);
    }
  }

  // layout places what is shown; columns are as wide as their widest box.
  layout() {
    const root = hierarchy({ virtual: true, h: 0, w: 0 }, (n) => shown(this.model, n.virtual ? null : n));
    tree().nodeSize([1, 1]).separation((a, b) => (a.data.h + b.data.h) / 2 + between * (a.parent === b.parent ? 1 : 1.6))(this.measured(root));
    const columns = [];
    root.each((p) => (columns[p.depth] = Math.max(columns[p.depth] ?? 0, p.data.w)));
    const left = [0, 0];
    for (let d = 2; d < columns.length; d++) left[d] = left[d - 1] + columns[d - 1] + gap;
    this.placed = root.descendants().filter((p) => p.depth > 0);
    const bounds = { left: 0, top: Infinity, right: 0, bottom: -Infinity };
    this.at = new Map();
    for (const p of this.placed) {
      const n = p.data;
      Object.assign(n, { px: left[p.depth], py: p.x - n.h / 2, drawnParent: p.depth > 1 ? p.parent.data : null, drawnChildren: (p.children ?? []).map((c) => c.data) });
      this.at.set(n, p);
      bounds.top = Math.min(bounds.top, n.py);
      bounds.bottom = Math.max(bounds.bottom, n.py + n.h);
      bounds.right = Math.max(bounds.right, n.px + n.w);
    }
    if (!this.placed.length) Object.assign(bounds, { top: 0, bottom: 1, right: 1 });
    this.bounds = { x: 0, y: bounds.top, w: bounds.right, h: bounds.bottom - bounds.top };
    for (const g of this.elements.values()) g.remove();
    this.elements.clear();
    this.connect();
    this.draw();
  }

  measured(root) {
    root.each((p) => !p.data.virtual && measure(p.data));
    return root;
  }

  // connect draws all lines of one look as one path: thousands cost as little as one.
  connect() {
    const looks = { none: "", guessed: "", bad: "", warn: "", leads: "" };
    for (const { data: n } of this.placed) {
      if (!n.drawnParent) continue;
      const look = n.fitting === false ? "leads" : n.guessed ? "guessed" : n.tone === "bad" || n.tone === "warn" ? n.tone : "none";
      looks[look] += curve(n.drawnParent, n);
    }
    const paths = Object.entries(looks).filter(([, d]) => d).map(([look, d]) => drawn("path", { class: look, d }));
    let across = "";
    for (const { from, to, by } of this.model.links) if (this.at.has(from) && this.at.has(to) && !this.model.without?.has(by.relation)) across += arc(from, to);
    if (across) paths.push(drawn("path", { class: "across", d: across }));
    this.edges.replaceChildren(...paths);
  }

  // resized keeps the chosen box in sight when the panel takes room.
  resized() {
    this.draw();
    const n = this.model.selected && this.seen(this.model.selected);
    if (n && !this.inSight(n)) this.reveal(n);
  }

  inSight(n) {
    const { w, h } = this.size();
    const [x, y] = [n.px * this.scale + this.x, n.py * this.scale + this.y];
    return x >= 8 && y >= 8 && x + n.w * this.scale <= w - 8 && y + n.h * this.scale <= h - 8;
  }

  draw() {
    this.waiting = false;
    const { x, y, scale } = this;
    this.world.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
    this.element.classList.toggle("far", scale < far && !this.printing);
    const w = this.element.clientWidth / scale;
    const h = this.element.clientHeight / scale;
    const [left, top] = [-x / scale, -y / scale];
    for (const { data: n } of this.placed) {
      const inSight = this.printing || (n.px < left + w + 40 && n.px + n.w > left - 40 && n.py < top + h + 40 && n.py + n.h > top - 40) || n === this.stop;
      const g = this.elements.get(n);
      if (inSight && !g) this.add(n);
      else if (!inSight && g) {
        g.remove();
        this.elements.delete(n);
      }
    }
  }

  add(n) {
    const g = draw(n, n.isGroup || n.children.some((c) => !c.hidden));
    g.setAttribute("transform", `translate(${n.px},${n.py})`);
    g.node = n;
    if (n.isGroup || n.children.length) g.setAttribute("aria-expanded", String(!n.isGroup && !n.folded));
    if (n === this.stop) g.setAttribute("tabindex", "0");
    g.classList.toggle("selected", n === this.model.selected);
    g.classList.toggle("asked", Boolean(n.asked));
    g.classList.toggle("leads", n.fitting === false);
    g.classList.toggle("found", Boolean(n.found));
    this.elements.set(n, g);
    this.boxes.append(g);
  }

  // later draws once a frame, however often the view moves in it.
  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.draw());
  }

  fit() {
    const { w: width, h: height } = this.size();
    const { x, y, w, h } = this.bounds;
    this.scale = Math.max(0.04, Math.min(1, (width - 48) / w, (height - 48) / h));
    this.x = (width - w * this.scale) / 2 - x * this.scale;
    this.y = (height - h * this.scale) / 2 - y * this.scale;
    this.later();
    return this.scale;
  }

  size() {
    return { w: this.element.clientWidth, h: this.element.clientHeight };
  }

  zoom(by, cx = this.size().w / 2, cy = this.size().h / 2) {
    const scale = Math.max(0.04, Math.min(3, this.scale * by));
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.later();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.later();
  }

  // reveal moves a box into the middle.
  reveal(n) {
    const seen = n && this.seen(n);
    if (!seen) return;
    const { w, h } = this.size();
    if (this.scale < far) this.scale = 0.8;
    this.x = w / 2 - (seen.px + seen.w / 2) * this.scale;
    this.y = h / 2 - (seen.py + seen.h / 2) * this.scale;
    this.draw();
  }

  // seen is the box that stands for a node: its own, its group's or that of
  // the folded one above it.
  seen(n) {
    for (let at = n; at; at = at.parent) {
      if (this.at.has(at)) return at;
      if (at.group && this.at.has(at.group)) return at.group;
    }
    return null;
  }

  toggle(n) {
    const before = { x: n.px * this.scale + this.x, y: n.py * this.scale + this.y };
    if (n.isGroup) n.open = true;
    else n.folded = !n.folded;
    this.layout();
    const kept = n.isGroup ? n.members[0] : n;
    this.move(before.x - (kept.px * this.scale + this.x), before.y - (kept.py * this.scale + this.y));
    this.draw();
    this.tabStop(kept);
    return kept;
  }

  tabStop(n) {
    const seen = n && this.seen(n);
    if (!seen) return;
    this.elements.get(this.stop)?.setAttribute("tabindex", "-1");
    this.stop = seen;
    if (!this.elements.has(seen)) this.add(seen);
    this.elements.get(seen).setAttribute("tabindex", "0");
  }

  focus(n) {
    if (!n) return;
    this.tabStop(n);
    if (!this.inSight(n)) this.reveal(n);
    this.elements.get(n).focus({ preventScroll: true });
  }

  select(n, here) {
    for (const g of this.elements.values()) g.classList.toggle("selected", g.node === n);
    if (!n || here) return;
    unfoldTo(n);
    if (!this.at.has(n)) this.layout();
    this.tabStop(n);
    this.reveal(n);
  }

  // print puts the whole picture on the paper.
  print(on) {
    this.printing = on;
    if (!on) {
      this.svg.removeAttribute("viewBox");
      return this.draw();
    }
    const { x, y, w, h } = this.bounds;
    const kept = { x: this.x, y: this.y, scale: this.scale };
    Object.assign(this, { x: 0, y: 0, scale: 1 });
    this.draw();
    this.svg.setAttribute("viewBox", `${x - 6} ${y - 6} ${w + 18} ${h + 18}`);
    Object.assign(this, kept);
  }
}

function curve(a, b) {
  const [x1, y1, x2, y2] = [a.px + a.w, a.py + a.h / 2, b.px, b.py + b.h / 2];
  const m = (x2 - Math.max(x1, x2 - gap)) / 2;
  return `M${x1} ${y1}H${x2 - 2 * m}C${x2 - m} ${y1} ${x2 - m} ${y2} ${x2} ${y2}`;
}

// arc goes to what is shown elsewhere, round what stands between.
function arc(a, b) {
  const [x1, y1, x2, y2] = [a.px + a.w, a.py + a.h - 12, b.px, b.py + b.h - 12];
  const bow = Math.max(40, Math.abs(x2 - x1) / 3);
  return `M${x1} ${y1}C${x1 + bow} ${y1} ${x2 - bow} ${y2} ${x2} ${y2}`;
}
