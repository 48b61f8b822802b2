// explain-tree -o html in Chromium: what a person does with the picture.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { clean, file, keep, launch, open, snapshots, stories, write } from "./pages.mjs";
import { evil, hostile, large } from "./scenes.mjs";

let browser;
let stuck;
let shop;
let big;
before(async () => {
  browser = await launch();
  stuck = await write("explain_tree", "deployment/frontend", "--snapshot", join(stories, "5-stuck-rollout/snapshot.yaml.gz"));
  shop = await write("explain_tree", "deployment/frontend", "--snapshot", join(snapshots, "shop.yaml"), "--learn");
  big = await write("explain_tree", "namespace/shop", "--snapshot", file("large.json", large()));
});
after(async () => {
  await browser?.close();
  clean();
});

async function on(path, options, act) {
  const page = await open(browser, path, options);
  try {
    await act(page);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

const box = (page, name) => page.locator("g.node", { has: page.locator(`text.name:text-is("${name}")`) });

describe("the page of explain-tree", () => {
  test("says the verdict first, then evidence and fix, then draws", () =>
    on(stuck, {}, async (page) => {
      await keep(page, "tree-light");
      const order = await page.$$eval("h1, .evidence, .fix, .picture, #rows", (all) => all.map((e) => e.className || e.id || e.tagName));
      assert.deepEqual(order, ["H1", "evidence", "fix", "picture", "tree"]);
      assert.match(await page.textContent("h1"), /Deployment\/frontend cannot finish its rollout/);
      assert.match(await page.title(), /^✗ shop\/Deployment\/frontend · explain-tree$/);
      assert.equal(await page.locator("g.node").count(), await page.locator("#rows li:not([data-to])").count());
    }));

  test("a click shows the evidence and the fix, and marks the row of the list", () =>
    on(stuck, { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
      await page.locator("g.node.tone-bad", { hasText: "Pod" }).first().click();
      const panel = page.locator(".panel");
      assert.match(await panel.textContent(), /ErrImagePull[\s\S]*spec\.containers\[0\]\.image[\s\S]*rollout undo/);
      assert.match(await page.textContent('[aria-selected="true"] > .row'), /ErrImagePull/);
      await panel.locator("button.copy").first().click();
      assert.equal(await panel.locator("button.copy").first().textContent(), "Copied");
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "kubectl -n shop rollout undo deployment/frontend --to-revision=1");
      await keep(page, "tree-chosen");
      await panel.locator("button.close").click();
      assert.equal(await panel.isVisible(), false);
    }));

  test("search finds, walks from hit to hit and marks them", () =>
    on(stuck, {}, async (page) => {
      await page.keyboard.press("/");
      await page.keyboard.type("pod");
      const hits = await page.locator("g.node.found").count();
      assert.ok(hits >= 3);
      assert.equal(await page.textContent(".search .count"), `${hits} found`);
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      assert.equal(await page.textContent(".search .count"), `2 of ${hits}`);
      assert.equal(await page.locator("g.node.selected").count(), 1);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("g.node.found").count(), 0);
    }));

  test("folds, unfolds, and filters by health and by relation", () =>
    on(stuck, {}, async (page) => {
      const count = () => page.locator("g.node").count();
      const all = await count();
      await box(page, "frontend").locator(".fold").click();
      assert.equal(await count(), 3);
      await page.getByRole("button", { name: "Unfold everything" }).click();
      assert.equal(await count(), all);
      const ok = page.locator('button.chip[data-tone="ok"]');
      await ok.click();
      assert.equal(await ok.getAttribute("aria-pressed"), "false");
      assert.ok((await count()) < all);
      assert.equal(await page.locator("#rows li:not([hidden])").count(), await count());
      await ok.click();
      assert.equal(await count(), all);
      await page.locator(".menu summary").click();
      await page.locator(".choices label", { hasText: "configmap" }).first().locator("input").uncheck();
      assert.equal(await box(page, "nginx-conf").count(), 0);
    }));

  test("zooms, moves and fits", () =>
    on(stuck, {}, async (page) => {
      const view = () => page.$eval(".picture svg > g", (g) => g.getAttribute("transform"));
      const frame = () => page.evaluate(() => new Promise(requestAnimationFrame));
      await page.getByRole("button", { name: "Fit the picture" }).click();
      await frame();
      const fitted = await view();
      await page.getByRole("button", { name: "Zoom in" }).click();
      await frame();
      assert.notEqual(await view(), fitted);
      const zoomed = await view();
      const area = await page.locator(".picture").boundingBox();
      await page.mouse.move(area.x + 30, area.y + 20);
      await page.mouse.down();
      await page.mouse.move(area.x + 130, area.y + 70, { steps: 5 });
      await page.mouse.up();
      await frame();
      assert.notEqual(await view(), zoomed);
      assert.equal(await page.locator(".panel").isVisible(), false, "a move is no click");
      await page.getByRole("button", { name: "Fit the picture" }).click();
      await frame();
      assert.equal(await view(), fitted);
    }));

  test("keys walk through the picture", () =>
    on(stuck, {}, async (page) => {
      await page.locator('g.node[tabindex="0"]').focus();
      const here = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
      await page.keyboard.press("Home");
      assert.match(await here(), /^Ingress shop/);
      await page.keyboard.press("ArrowRight");
      assert.match(await here(), /^Service nginx, 2\/3 ready, warning/);
      await page.keyboard.press("ArrowRight");
      assert.match(await here(), /^Deployment frontend/);
      await page.keyboard.press(" ");
      assert.equal(await page.locator("g.node").count(), 3);
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "false");
      await page.keyboard.press("ArrowRight");
      assert.ok((await page.locator("g.node").count()) > 3, "right unfolds");
      await page.keyboard.press("Enter");
      assert.equal(await page.textContent(".panel h3"), "Deployment frontend");
      await page.keyboard.press("ArrowLeft");
      assert.match(await here(), /^Service nginx/);
    }));

  test("the list is a tree for keyboards and screen readers", () =>
    on(stuck, {}, async (page) => {
      const aria = await page.locator("#rows").ariaSnapshot();
      assert.match(aria, /tree "The tree"/);
      assert.match(aria, /treeitem ".*Ingress shop/);
      await page.locator('#rows [tabindex="0"]').focus();
      await page.keyboard.press("Home");
      const here = () => page.evaluate(() => document.activeElement.querySelector(".name").textContent);
      assert.equal(await here(), "shop");
      await page.keyboard.press("ArrowDown");
      assert.equal(await here(), "nginx");
      await page.keyboard.press("ArrowLeft");
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "false");
      await page.keyboard.press("ArrowDown");
      assert.equal(await here(), "nginx", "what is folded is not walked");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      assert.equal(await here(), "frontend");
      await page.keyboard.press("Enter");
      assert.equal(await page.textContent(".panel h3"), "Deployment frontend");
      const names = await page.$$eval("button, input, summary", (all) => all.filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length)).length);
      assert.equal(names, 0, "a control without a name");
    }));

  test("without JavaScript all of it can be read", () =>
    on(shop, { javaScriptEnabled: false }, async (page) => {
      await keep(page, "tree-without-javascript");
      assert.match(await page.locator("#rows").innerText(), /ReplicaSet frontend-[\s\S]*ImagePullBackOff/);
      assert.ok(await page.locator(".fix pre").first().isVisible());
      assert.equal(await page.locator("button").count(), 0);
    }));

  test("in the dark, on a phone and on paper", () =>
    on(stuck, { colorScheme: "dark" }, async (page) => {
      await keep(page, "tree-dark");
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.emulateMedia({ colorScheme: "light" });
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark);
      await page.setViewportSize({ width: 360, height: 780 });
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "it is wider than a phone");
      await keep(page, "tree-phone");
      const pdf = await page.pdf({ format: "A4" });
      assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
      await page.emulateMedia({ media: "print" });
      assert.equal(await page.locator(".bar").first().isVisible(), false);
    }));

  for (const scheme of ["light", "dark"])
    test(`words stand out from what is behind them: ${scheme}`, () =>
      on(stuck, { colorScheme: scheme }, async (page) => {
        const low = await page.evaluate(() => {
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(name).trim().slice(1);
            const full = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
            const [r, g, b] = [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const pairs = [["--text", "--card"], ["--text", "--soft"], ["--dim", "--card"], ["--dim", "--bg"], ["--dim", "--soft"], ["--focus", "--card"]];
          for (const tone of ["ok", "bad", "warn", "busy", "unknown"]) pairs.push(["--" + tone, "--card"], ["--" + tone, `--${tone}-soft`]);
          for (const tone of ["bad", "warn"]) pairs.push(["--dim", `--${tone}-soft`]);
          return pairs.map(([a, b]) => [a, b, (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)]).filter(([, , ratio]) => ratio < 4.5);
        });
        assert.deepEqual(low, []);
      }));

  test("the document of -o json can be saved", () =>
    on(stuck, {}, async (page) => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as JSON" }).click()]);
      assert.equal(download.suggestedFilename(), "report.json");
    }));

  test("2,000 nodes are there at once and stay fluid", () =>
    on(big, {}, async (page) => {
      assert.ok((await page.locator("#rows li").count()) > 2000);
      assert.ok((await page.locator("g.node").count()) < 60, "what is well is folded at first");
      await keep(page, "tree-large");
      const unfold = await page.evaluate(() => {
        const before = performance.now();
        document.querySelector('[aria-label="Unfold everything"]').click();
        return performance.now() - before;
      });
      assert.ok(unfold < 1500, `unfolding took ${unfold} ms`);
      assert.ok((await page.locator("g.node").count()) < 400, "what is out of sight is not drawn");
      const area = await page.locator(".picture").boundingBox();
      await page.evaluate(() => {
        window.frames_ = [];
        let last = performance.now();
        const tick = (now) => {
          window.frames_.push(now - last);
          last = now;
          window.ticking = requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
      });
      await page.mouse.move(area.x + 200, area.y + 100);
      await page.mouse.down();
      for (let i = 0; i < 60; i++) await page.mouse.move(area.x + 200 + (i % 20) * 6, area.y + 100 + (i % 30) * 5);
      await page.mouse.up();
      const frames = await page.evaluate(() => {
        cancelAnimationFrame(window.ticking);
        return window.frames_.sort((a, b) => a - b);
      });
      const median = frames[Math.floor(frames.length / 2)];
      console.log(`    unfold ${Math.round(unfold)} ms; a frame while moving: median ${median.toFixed(1)} ms, worst ${frames.at(-1).toFixed(1)} ms`);
      assert.ok(median < 50, `a frame takes ${median} ms`);
      await page.fill("input[type=search]", "app-37-x-0");
      await page.keyboard.press("Enter");
      assert.equal(await page.textContent(".panel h3"), "Pod app-37-x-0");
      assert.equal(await box(page, "app-37-x-0").count(), 1);
    }));
});

test("hostile names stay text", async () => {
  const snapshot = file("hostile.json", hostile());
  for (const path of [
    await write("explain_tree", "service/web", "-n", "shop", "--snapshot", snapshot, "--learn"),
    await write("check_endpoints", "web", "-n", "shop", "--snapshot", snapshot),
  ])
    await on(path, {}, async (page) => {
      assert.notEqual(await page.title(), "owned");
      assert.equal(await page.locator("img").count(), 0);
      assert.equal(await page.locator("script").count(), 2);
      assert.equal(await page.locator("[onclick], [onerror], [onmouseover]").count(), 0);
      assert.ok(!(await page.content()).includes("\u202e"));
      const shown = evil.replace("\u202e", "\\u202e");
      assert.ok((await page.innerText("main")).includes(shown), "the name is shown as it is written");
      for (const g of await page.locator("g.node").all()) await g.dispatchEvent("click");
      assert.equal(await page.locator("img").count(), 0);
      assert.notEqual(await page.title(), "owned");
      await keep(page, "hostile");
    });
});
