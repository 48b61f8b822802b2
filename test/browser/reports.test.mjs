// The reports of check-endpoints, trace-dns and guard-rollout in Chromium.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { clean, keep, launch, open, recordings, snapshots, stories, write } from "./pages.mjs";

let browser;
before(async () => (browser = await launch()));
after(async () => {
  await browser?.close();
  clean();
});

async function everywhere(name, path, act) {
  for (const [look, options] of Object.entries({ light: {}, dark: { colorScheme: "dark" }, phone: { viewport: { width: 360, height: 780 } }, plain: { javaScriptEnabled: false } })) {
    const page = await open(browser, path, options);
    await keep(page, `${name}-${look}`);
    assert.deepEqual(page.complaints, [], look);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth).catch(() => 0)) <= (options.viewport?.width ?? 1280), `${look}: wider than the window`);
    assert.equal(await page.locator("h1").count(), 1);
    await act(page);
    await page.context().close();
  }
}

test("check-endpoints holds the slices and the pods side by side", async () => {
  await everywhere("endpoints", await write("check_endpoints", "nginx", "--snapshot", join(snapshots, "shop.yaml")), async (page) => {
    assert.match(await page.innerText("main"), /Service\/nginx[\s\S]*Selector\s*app=web,service=nginx/);
    assert.match(await page.innerText("#findings"), /2 of 3 endpoints are ready[\s\S]*Evidence[\s\S]*What to do/i);
  });
});

test("check-endpoints lists many Services", async () => {
  await everywhere("services", await write("check_endpoints", "-A", "--snapshot", join(stories, "5-stuck-rollout/snapshot.yaml.gz")), async (page) => {
    assert.ok((await page.locator("h1").innerText()).length > 10);
  });
});

test("trace-dns shows the way, the ladder and the replicas", async () => {
  await everywhere("dns", await write("trace_dns", "legacy", "--from", "shop/deploy/backend", "--snapshot", join(snapshots, "dns.yaml")), async (page) => {
    assert.equal(await page.locator(".ladder li").count(), 4);
    assert.match(await page.locator(".ladder .stops").innerText(), /NXDOMAIN/);
    assert.ok((await page.locator(".way li").count()) >= 3);
    assert.match(await page.innerText("#replicas"), /coredns-/);
  });
});

test("guard-rollout draws who served while it rolled", async () => {
  await everywhere("rollout-kept", await write("guard_rollout", "--replay", join(stories, "4-ten-pods/recording.ndjson.gz")), async (page) => {
    assert.match(await page.locator('[aria-current="step"]').innerText(), /complete/);
    assert.equal(await page.locator(".timeline .floor").count(), 1);
    assert.equal(await page.locator(".timeline .below").count(), 0);
    assert.match(await page.locator(".timeline title").first().textContent(), /Endpoints that served, from \d\d:\d\d:\d\d to/);
  });
});

test("guard-rollout marks where service was lost", async () => {
  await everywhere("rollout-lost", await write("guard_rollout", "--replay", join(recordings, "recreate.ndjson.gz")), async (page) => {
    assert.ok((await page.locator(".timeline .below, .timeline .failed").count()) > 0);
  });
});

test("guard-rollout shows where a rollout got stuck, and the way back", async () => {
  await everywhere("rollout-stuck", await write("guard_rollout", "--replay", join(stories, "2-bad-tag-guarded/recording.ndjson.gz")), async (page) => {
    assert.match(await page.locator('[aria-current="step"]').innerText(), /failed/);
    assert.match(await page.locator(".back").innerText(), /rollout undo deployment\/app/);
  });
});
