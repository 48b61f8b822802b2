// The list as a tree for keyboards and screen readers (ARIA's tree pattern).
export class List {
  constructor(model, element, select) {
    Object.assign(this, { model, element, select: this.select.bind(this) });
    this.chosen = select;
    element.setAttribute("role", "tree");
    const last = new Map();
    for (const n of model.nodes) {
      const set = n.item.parentElement;
      n.item.setAttribute("role", "treeitem");
      n.item.setAttribute("aria-labelledby", n.row.id);
      n.item.setAttribute("aria-selected", "false");
      n.item.tabIndex = -1;
      last.set(set, n.item);
      const below = n.item.querySelector(":scope > ul");
      if (below) {
        below.setAttribute("role", "group");
        n.item.setAttribute("aria-expanded", "true");
      }
      for (const a of n.row.querySelectorAll("a")) a.tabIndex = -1;
    }
    this.tabStop(model.nodes.find((n) => n.asked) ?? model.nodes[0]);
    element.addEventListener("keydown", (e) => this.key(e));
    element.addEventListener("click", (e) => this.click(e));
  }

  nodeAt(target) {
    const item = target.closest("li");
    return this.model.nodes.find((n) => n.item === item);
  }

  click(event) {
    const n = this.nodeAt(event.target);
    if (!n || event.target.closest("a")) return;
    if (event.offsetX < 0 || event.target.closest(".sign")) return this.toggle(n);
    this.chosen(n);
  }

  key(event) {
    const n = this.nodeAt(event.target);
    if (!n || event.altKey || event.ctrlKey || event.metaKey) return;
    const visible = this.visible();
    const at = visible.indexOf(n);
    const below = n.item.getAttribute("aria-expanded");
    const go = {
      ArrowDown: () => this.focus(visible[at + 1]),
      ArrowUp: () => this.focus(visible[at - 1]),
      Home: () => this.focus(visible[0]),
      End: () => this.focus(visible.at(-1)),
      ArrowRight: () => (below === "false" ? this.toggle(n) : below && this.focus(visible[at + 1])),
      ArrowLeft: () => (below === "true" ? this.toggle(n) : this.focus(n.parent)),
      Enter: () => this.chosen(n),
      " ": () => this.chosen(n),
    }[event.key];
    if (!go) return;
    event.preventDefault();
    go();
  }

  visible() {
    return this.model.nodes.filter((n) => !n.item.closest("[hidden]") && !n.item.parentElement.closest("[aria-expanded=false]"));
  }

  toggle(n) {
    const open = n.item.getAttribute("aria-expanded");
    if (open) n.item.setAttribute("aria-expanded", String(open === "false"));
  }

  tabStop(n) {
    if (!n) return;
    if (this.stop) this.stop.item.tabIndex = -1;
    n.item.tabIndex = 0;
    this.stop = n;
  }

  focus(n) {
    if (!n) return;
    this.tabStop(n);
    n.item.focus({ preventScroll: true });
    n.row.scrollIntoView({ block: "nearest" });
  }

  select(n, focus) {
    this.was?.item.setAttribute("aria-selected", "false");
    this.was = n?.item ? n : null;
    if (!this.was) return;
    n.item.setAttribute("aria-selected", "true");
    for (let at = n.parent; at; at = at.parent) if (at.item.hasAttribute("aria-expanded")) at.item.setAttribute("aria-expanded", "true");
    if (focus) this.focus(n);
    else this.tabStop(n);
  }

  // refit hides what the filter leaves out.
  refit() {
    for (const n of this.model.nodes) {
      n.item.hidden = Boolean(n.hidden);
      n.item.classList.toggle("leads", !n.fitting);
    }
    if (this.stop?.hidden) this.tabStop(this.model.nodes.find((n) => !n.hidden));
  }

  foldAll(folded) {
    for (const n of this.model.nodes) if (n.item.hasAttribute("aria-expanded")) n.item.setAttribute("aria-expanded", String(!folded || n.parent === null || (n.holdsAsked && !n.asked)));
  }
}
