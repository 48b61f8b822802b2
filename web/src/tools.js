// The bar above the picture: search, filter by health and relation, fold, zoom.
import { element } from "./element.js";
import { foldAll, refit, tones, unfoldTo } from "./model.js";

export function addTools(section, stage, model, { picture, list, select }) {
  const bar = element("div", { class: "bar", role: "toolbar", "aria-label": "Picture and list" });
  section.insertBefore(bar, stage);
  const off = new Set();
  model.without = new Set();
  model.fits = (n) => !off.has(n.tone);
  const apply = () => {
    refit(model);
    list.refit();
    picture.layout();
  };
  bar.append(search(model, picture, list, select), ...healths(model, off, apply));
  const relations = relationMenu(model, apply);
  if (relations) bar.append(relations);
  bar.append(element("span", { class: "space" }), ...buttons(model, picture, list));
  refit(model);
}

function search(model, picture, list, select) {
  const input = element("input", { type: "search", placeholder: "Search (/)", "aria-label": "Search names, kinds and states", spellcheck: "false" });
  const count = element("span", { class: "count", role: "status" });
  let found = [];
  let at = -1;
  const look = () => {
    model.query = input.value.trim().toLowerCase();
    found = model.query ? model.nodes.filter((n) => !n.hidden && n.to === null && n.text.includes(model.query)) : [];
    at = -1;
    for (const n of model.nodes) {
      n.found = found.includes(n);
      n.item.classList.toggle("found", n.found);
    }
    count.textContent = model.query ? `${found.length} found` : "";
    if (found.length && found.length <= 40) found.forEach(unfoldTo);
    picture.layout();
    if (found.length) picture.reveal(found[0]);
  };
  input.addEventListener("input", look);
  input.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      input.value = "";
      look();
    }
    if (e.key !== "Enter" || !found.length) return;
    e.preventDefault();
    at = (at + (e.shiftKey ? found.length - 1 : 1)) % found.length;
    unfoldTo(found[at]);
    picture.layout();
    select(found[at]);
    picture.reveal(found[at]);
    count.textContent = `${at + 1} of ${found.length}`;
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.target.closest("input, textarea")) return;
    e.preventDefault();
    input.focus();
  });
  return element("span", { class: "search" }, input, count);
}

// healths are switches, one a state that occurs.
function healths(model, off, apply) {
  const buttons = [];
  for (const [tone, word] of Object.entries(tones)) {
    const n = model.nodes.filter((x) => x.tone === tone && x.to === null).length;
    if (!n) continue;
    const b = element("button", { type: "button", class: "chip " + tone, "aria-pressed": "true", "data-tone": tone, title: `Show or hide: ${word}` }, `${word} ${n}`);
    b.addEventListener("click", () => {
      if (!off.delete(tone)) off.add(tone);
      b.setAttribute("aria-pressed", String(!off.has(tone)));
      apply();
    });
    buttons.push(b);
  }
  return buttons;
}

function relationMenu(model, apply) {
  const names = [...new Set(model.nodes.map((n) => n.relation).filter(Boolean))].sort();
  if (names.length < 2) return null;
  const menu = element("details", { class: "menu" }, element("summary", {}, "Relations"));
  const box = element("div", { class: "choices", role: "group", "aria-label": "Relations that are shown" });
  for (const name of names) {
    const check = element("input", { type: "checkbox", value: name });
    check.checked = true;
    check.addEventListener("change", () => {
      if (!model.without.delete(name)) model.without.add(name);
      apply();
    });
    box.append(element("label", {}, check, " " + name));
  }
  menu.append(box);
  document.addEventListener("click", (e) => !menu.contains(e.target) && (menu.open = false));
  menu.addEventListener("keydown", (e) => e.key === "Escape" && ((menu.open = false), menu.firstElementChild.focus()));
  return menu;
}

function buttons(model, picture, list) {
  const make = (text, label, act) => {
    const b = element("button", { type: "button", title: label, "aria-label": label }, text);
    b.addEventListener("click", act);
    return b;
  };
  const fold = (folded) => () => {
    foldAll(model, folded);
    list.foldAll(folded);
    picture.layout();
    if (picture.fit() < 0.2) picture.reveal(model.selected ?? model.nodes.find((n) => n.asked) ?? model.nodes[0]); // nobody could read it
  };
  return [
    make("Fold", "Fold everything", fold(true)),
    make("Unfold", "Unfold everything", fold(false)),
    make("−", "Zoom out (-)", () => picture.zoom(1 / 1.3)),
    make("+", "Zoom in (+)", () => picture.zoom(1.3)),
    make("Fit", "Fit the picture to the window (0)", () => picture.fit()),
  ];
}
