// The panel beside the picture: what is known about the chosen node, the
// evidence and the way out.
import { element } from "./element.js";
import { tones } from "./model.js";

export class Panel {
  constructor(model, select) {
    this.model = model;
    this.choose = select;
    this.element = element("aside", { class: "panel", "aria-label": "Details", "aria-live": "polite", tabindex: "-1" });
    this.element.hidden = true;
  }

  show(n) {
    this.element.hidden = !n;
    if (!n) return;
    const close = element("button", { type: "button", class: "close", "aria-label": "Close the details" }, "×");
    close.addEventListener("click", () => this.choose(null));
    const head = element("h3", {}, element("span", { class: "kind" }, n.kind), " ", n.name);
    this.element.replaceChildren(close, head, this.facts(n), ...this.findings(n));
    if (n.isGroup) {
      this.element.append(element("p", { class: "lesson" }, "They all say the same. Unfold them with the button or the space bar."));
      return;
    }
    if (n.lesson) this.element.append(element("p", { class: "lesson" }, n.lesson));
    this.element.append(element("p", {}, element("a", { href: "#" + n.row.id }, "Show it in the list")));
    this.element.scrollTop = 0;
  }

  facts(n) {
    const above = n.parent ? `${n.parent.kind} ${n.parent.name}`.trim() : "";
    const facts = [
      ["State", [tones[n.tone], n.status !== tones[n.tone] && n.status].filter(Boolean).join(": ")],
      ["Ready", n.ready],
      ["Namespace", n.ns],
      ["Below", above],
      ["Relation", n.relation && n.relation + (n.guessed ? " (guessed from a value or a name)" : "")],
      ["Why", n.why],
      ["Details", n.wide],
      ["Also below", this.model.links.filter((l) => l.to === n).map((l) => `${l.from.kind} ${l.from.name} (${l.by.relation})`).join(", ")],
    ];
    const list = element("dl");
    for (const [term, text] of facts) if (text) list.append(element("div", {}, element("dt", {}, term), element("dd", {}, text)));
    list.querySelector("dd")?.classList.add("tone-" + n.tone);
    return list;
  }

  // findings are copies of what the page says below.
  findings(n) {
    return n.findings.map((number) => {
      const original = document.getElementById("f" + number);
      const copy = element("article", { class: "finding " + (original?.dataset.tone ?? "") });
      if (!original) return copy;
      copy.append(...original.cloneNode(true).childNodes);
      copy.querySelector(".claim[hidden]")?.removeAttribute("hidden"); // the headline said it
      return copy;
    });
  }
}
