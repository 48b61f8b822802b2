// How mouse, fingers and keys move through the picture.
export function listen(picture) {
  pointers(picture);
  picture.element.addEventListener("wheel", (e) => wheel(picture, e), { passive: false });
  picture.element.addEventListener("keydown", (e) => key(picture, e));
  picture.boxes.addEventListener("focusin", (e) => e.target.node && (picture.stop = e.target.node));
}

// wheel zooms where the picture has the focus or a modifier is held; else the
// page scrolls on.
function wheel(picture, event) {
  const inside = picture.element.contains(document.activeElement);
  if (!event.ctrlKey && !event.metaKey && !inside) return;
  event.preventDefault();
  const box = picture.element.getBoundingClientRect();
  const pinch = event.ctrlKey && Math.abs(event.deltaY) < 40;
  picture.zoom(Math.exp(-event.deltaY * (pinch ? 0.01 : 0.0016)), event.clientX - box.left, event.clientY - box.top);
}

function pointers(picture) {
  const down = new Map();
  let moved = 0;
  const target = picture.element;
  target.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    down.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (down.size === 1) moved = 0;
  });
  target.addEventListener("pointermove", (e) => {
    const was = down.get(e.pointerId);
    if (!was) return;
    const [dx, dy] = [e.clientX - was.x, e.clientY - was.y];
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved < 5) return;
    if (!target.hasPointerCapture(e.pointerId)) target.setPointerCapture(e.pointerId);
    target.classList.add("moving");
    if (down.size === 2) pinch(e, was);
    else picture.move(dx, dy);
    was.x = e.clientX;
    was.y = e.clientY;
  });
  const pinch = (e, was) => {
    const other = [...down].find(([id]) => id !== e.pointerId)[1];
    const box = target.getBoundingClientRect();
    const before = Math.hypot(was.x - other.x, was.y - other.y);
    const now = Math.hypot(e.clientX - other.x, e.clientY - other.y);
    if (before > 0) picture.zoom(now / before, (e.clientX + other.x) / 2 - box.left, (e.clientY + other.y) / 2 - box.top);
  };
  const up = (e) => {
    down.delete(e.pointerId);
    if (!down.size) target.classList.remove("moving");
  };
  target.addEventListener("pointerup", up);
  target.addEventListener("pointercancel", up);
  target.addEventListener("click", (e) => {
    if (moved >= 5) return;
    const g = e.target.closest("g.node");
    if (!g) return picture.choose(null);
    if (e.target.closest(".fold")) return picture.focus(picture.toggle(g.node));
    picture.focus(g.node);
    picture.choose(g.node);
  });
  target.addEventListener("dblclick", (e) => {
    const g = e.target.closest("g.node");
    if (g && (g.node.isGroup || g.node.children.length)) picture.focus(picture.toggle(g.node));
  });
}

function key(picture, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const n = picture.stop;
  const siblings = n?.drawnParent ? n.drawnParent.drawnChildren : picture.placed.filter((p) => p.depth === 1).map((p) => p.data);
  const column = () => picture.placed.filter((p) => p.depth === picture.at.get(n).depth).map((p) => p.data);
  const step = (by) => () => {
    const at = siblings.indexOf(n) + by;
    const all = column();
    picture.focus(siblings[at] ?? all[all.indexOf(n) + by]);
  };
  const fold = () => n && (n.isGroup || n.children.length) && picture.focus(picture.toggle(n));
  const go = {
    ArrowRight: () => (n.drawnChildren.length ? picture.focus(n.drawnChildren[Math.floor((n.drawnChildren.length - 1) / 2)]) : (n.folded || n.isGroup) && fold()),
    ArrowLeft: () => picture.focus(n.drawnParent),
    ArrowUp: step(-1),
    ArrowDown: step(1),
    Home: () => picture.focus(picture.placed[0]?.data),
    Enter: () => picture.choose(n),
    " ": fold,
    "+": () => picture.zoom(1.3),
    "=": () => picture.zoom(1.3),
    "-": () => picture.zoom(1 / 1.3),
    0: () => picture.fit(),
    Escape: () => picture.choose(null),
  }[event.key];
  if (!go || !n) return;
  event.preventDefault();
  go();
}
