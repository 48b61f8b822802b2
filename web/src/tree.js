// The page of explain-tree: the list of rows becomes a tree that keys walk, and
// is drawn as a picture.
import "./page.js";
import { read } from "./model.js";
import { List } from "./list.js";
import { Picture } from "./picture.js";
import { Panel } from "./panel.js";
import { addTools } from "./tools.js";
import { element } from "./element.js";

const rows = document.getElementById("rows");
if (rows) {
  const model = read(rows);
  const section = element("section", { id: "picture", "aria-labelledby": "picture-h" }, element("h2", { id: "picture-h" }, "The picture"));
  document.querySelector("header").after(section);

  const select = (node, from) => {
    model.selected = node;
    panel.show(node);
    list.select(node, from === "list");
    picture.select(node, from === "picture");
  };
  const panel = new Panel(model, (node) => select(node));
  const list = new List(model, rows, (node) => select(node, "list"));
  const picture = new Picture(model, (node) => select(node, "picture"));
  const stage = element("div", { class: "stage" }, picture.element, panel.element);
  section.append(stage);
  addTools(section, stage, model, { picture, list, select });
  picture.open();
}
