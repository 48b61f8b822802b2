// The browser, and the pages that the plugins write from recorded clusters.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const root = new URL("../../", import.meta.url).pathname;
export const stories = join(root, "test/demo/stories");
export const snapshots = join(root, "test/script/testdata/snapshots");
export const recordings = join(root, "pkg/rollout/testdata");
const folder = mkdtempSync(join(tmpdir(), "leadsman-browser-"));

const run = promisify(execFile);

// write has a plugin write a page; a verdict's exit code is no failure.
export async function write(plugin, ...args) {
  const { stdout } = await run(join(root, "bin/kubectl-" + plugin), [...args, "-o", "html"], { maxBuffer: 1 << 28 }).catch((e) => {
    if (e.stdout) return e;
    throw e;
  });
  const path = join(folder, `${plugin}-${Math.random().toString(36).slice(2)}.html`);
  writeFileSync(path, stdout);
  return path;
}

export function file(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// open shows a page, and notes what it says in the console and asks the network.
export async function open(browser, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (e) => page.complaints.push(String(e)));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && page.complaints.push(m.text()));
  page.on("request", (r) => r.url().startsWith("file:") || r.url().startsWith("blob:") || page.complaints.push("asked " + r.url()));
  page.on("dialog", (d) => {
    page.complaints.push("dialog " + d.message());
    d.dismiss();
  });
  await page.goto(pathToFileURL(path).href);
  return page;
}

// keep keeps a picture, where they are asked for.
export async function keep(page, name) {
  if (!process.env.SHOTS) return;
  mkdirSync(process.env.SHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SHOTS, name + ".png"), fullPage: true });
}

export function clean() {
  rmSync(folder, { recursive: true, force: true });
}

export const text = (path) => readFileSync(path, "utf8");
