// Every page of the console for axe-core, in both languages, narrow and in the dark, and as it is printed; with pictures of each.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { browser, demo, emergency, enter, hold, send, shots, sound } from "./demo.mjs";

let stage, chrome, draft, sample;

before(async () => {
  stage = await demo();
  chrome = await browser();
  await hold(stage);
  await emergency(stage);
  const officer = await enter(chrome, stage, "officer-1");
  await officer.goto("/policies/drafts");
  await officer.getByLabel("Waar het om gaat").fill("Minder uren voor de coach");
  await send(officer, "Concept beginnen");
  draft = new URL(officer.url()).pathname;
  await officer.goto("/audit/sample");
  await officer.getByLabel("Hoeveel records").fill("3");
  await send(officer, "Trekken");
  sample = new URL(officer.url()).pathname;
  await officer.context().close();
});
after(async () => {
  await chrome?.close();
  await stage?.end();
});

const cell = "?exchange=X05&from=gemeente:klantmanager&to=rib:coach&class=functioneel.uren";
const pages = () => ["/", "/?period=year", "/policies?purpose=beoordeling_belastbaarheid", "/policies/simulate", "/policies/drafts", `${draft}?check=yes`,
  `${draft}/cells?purpose=aanmelding`, `${draft}/cell${cell}`, "/policies/changes", "/policies/shadow", "/policies/lexicon", "/policies/contracts", "/held", "/audit",
  "/audit/record/5", "/audit/record/13", "/audit/person", "/audit/sample", sample, "/audit/reports", "/audit/escapes", "/audit/export", "/audit/health", "/inzage", "/nergens"];
/** The name of a picture: the address without what differs from run to run. */
const named = (path) => path.replace(/\d{10,}/, "1").replace(/\?.*class=/, "-").replace(/\W+/g, "-");

for (const language of ["nl", "en"]) {
  test(`every page is sound for axe-core in ${language}`, async () => {
    const page = await enter(chrome, stage, "officer-1", { locale: language === "nl" ? "nl-NL" : "en-GB" });
    for (const path of pages()) {
      await page.goto(path, { waitUntil: "load" });
      assert.equal(await page.getAttribute("html", "lang"), language);
      await sound(page, `${language}${named(path)}`);
    }
    await page.goto("/held");
    await page.locator("main form button").first().click();
    await page.waitForSelector(".held-text mark");
    await sound(page, `${language}-held-text`);
    await page.context().close();
  });
}

test("every page fits a window of 360 pixels, and the dark scheme is sound too", async () => {
  const page = await enter(chrome, stage, "officer-1", { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  for (const path of pages()) {
    await page.goto(path, { waitUntil: "load" });
    await sound(page, `narrow-dark${named(path)}`);
  }
  await page.context().close();
});

test("pages are printed without what only a screen needs", async () => {
  const page = await enter(chrome, stage, "officer-1", { viewport: { width: 794, height: 1123 } });
  for (const path of ["/", "/policies?purpose=beoordeling_belastbaarheid", "/audit/record/13", "/audit/health", sample]) {
    await page.goto(path, { waitUntil: "load" });
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("header.side").isVisible(), false, path);
    assert.equal(await page.locator("h1").isVisible(), true, path);
    await page.screenshot({ path: join(shots, `print${named(path)}.png`), fullPage: true });
    await page.emulateMedia({ media: "screen" });
  }
  await page.context().close();
});

test("there is a picture of every page", () => {
  const kept = new Set(readdirSync(shots));
  for (const path of pages()) for (const how of ["nl", "en", "narrow-dark"]) assert.ok(kept.has(`${how}${named(path)}.png`), path);
});
