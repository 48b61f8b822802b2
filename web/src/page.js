// What every page can do: copy a command, save the document, search a long table.
import { element } from "./element.js";

for (const pre of document.querySelectorAll("pre.cmd")) addCopy(pre);

function addCopy(pre) {
  const box = element("div", { class: "copyable" });
  pre.replaceWith(box);
  box.append(pre, element("button", { type: "button", class: "copy", "aria-label": "Copy the command" }, "Copy"));
}

// What a link leads to is opened.
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const folded = target && (target.closest("details") ?? target.querySelector(":scope > details"));
  if (folded) folded.open = true;
};
addEventListener("hashchange", reveal);
reveal();

// The panel of the picture shows copies of the findings, so one listener hears all.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button.copy");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  const done = (await write(code.textContent)) || select(code);
  button.textContent = done === "copied" ? "Copied" : "Selected";
  setTimeout(() => (button.textContent = "Copy"), 1600);
});

// write fails on pages that were opened from a disk in some browsers.
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "";
  }
}

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  return document.execCommand?.("copy") ? "copied" : "selected";
}

const save = element("button", { type: "button", class: "save" }, "Save as JSON");
save.addEventListener("click", () => {
  const text = JSON.stringify(JSON.parse(document.getElementById("report").textContent), null, 2) + "\n";
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: "report.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
document.querySelector("footer")?.append(save);

for (const table of document.querySelectorAll("table.long")) addSearch(table);

// addSearch is for tables of which nobody reads every row.
function addSearch(table) {
  const rows = [...table.tBodies].flatMap((b) => [...b.rows]);
  if (rows.length < 9) return;
  const input = element("input", { type: "search", placeholder: "Search", "aria-label": "Search the table", spellcheck: "false" });
  const unwell = element("input", { type: "checkbox" });
  const count = element("span", { class: "count", role: "status" });
  const bar = element("div", { class: "bar" }, input, element("label", {}, unwell, " only what is not well"), count);
  const show = () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = row.textContent.toLowerCase().includes(wanted) && !(unwell.checked && row.dataset.tone === "ok");
      row.hidden = !fits;
      if (fits) shown++;
    }
    count.textContent = `${shown} of ${rows.length}`;
  };
  input.addEventListener("input", show);
  unwell.addEventListener("change", show);
  (table.closest(".scroll") ?? table).before(bar);
  show();
}
