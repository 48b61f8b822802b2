// Builds what the Go package pkg/render/html embeds. The head of each file
// names the sources that it was built from; a test there compares it with them.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const out = "../pkg/render/html/assets/";
const sources = ["build.mjs", "package-lock.json", ...readdirSync("src").sort().map((f) => "src/" + f)];
const sum = createHash("sha256");
for (const name of sources) sum.update(name + "\0").update(readFileSync(name)).update("\0");
const head = `/* Generated from web/ by "make web"; sources ${sum.digest("hex")} */`;

// The licence wants its text in every copy.
const licence = "\n/*! d3-hierarchy 3.1.3\n" + readFileSync("node_modules/d3-hierarchy/LICENSE", "utf8").trim() + "\n*/";
const notices = { "tree.js": licence, "page.js": "", "page.css": "" };

for (const [name, notice] of Object.entries(notices)) {
  const { outputFiles } = await build({
    entryPoints: ["src/" + name], bundle: true, minify: true, write: false, format: name.endsWith(".js") ? "iife" : undefined,
    target: ["chrome100", "firefox100", "safari15.4"], legalComments: "none", charset: "utf8", logLevel: "warning",
  });
  const text = head + notice + "\n" + outputFiles[0].text;
  const packed = gzipSync(text, { level: 9 });
  packed[9] = 255; // the header names no operating system: the same bytes everywhere
  writeFileSync(out + name + ".gz", packed);
  console.log(`${name}: ${text.length} bytes, ${packed.length} packed`);
}
writeFileSync(out + "LICENSE.d3-hierarchy", readFileSync("node_modules/d3-hierarchy/LICENSE"));
