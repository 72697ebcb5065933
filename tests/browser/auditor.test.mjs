// What an auditor does, from a search to a sample and the whole log checked; and what a beheerder does not see.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CLIENT, HOSTILE, browser, demo, enter, example, run, send, sound } from "./demo.mjs";

let stage, chrome;

before(async () => {
  stage = await demo();
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  await stage?.end();
});

test("an auditor's day", async () => {
  const page = await enter(chrome, stage, "auditor-1");
  await page.goto("/");
  assert.equal(await page.getByRole("link", { name: "Inzage" }).count(), 0);
  assert.equal((await page.goto("/inzage")).status(), 403);
  assert.match(await page.textContent("main"), /deze rol mag dit niet|Deze rol mag dit niet/i);
  assert.match(await page.textContent("main"), /staat in het logboek/);

  await page.goto("/audit");
  await page.getByLabel("Besluit").selectOption({ label: "teruggestuurd" });
  await page.getByLabel("Dataklasse").selectOption({ label: "Verslaving" });
  await send(page, "Filteren");
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.locator("tbody a").first().click();
  assert.match(await page.textContent("main"), /Tekst teruggehouden[\s\S]*Verslaving/);
  await page.waitForSelector("[data-verify] .tag.pass");
  assert.match(await page.getAttribute("[data-verify]", "data-told"), /^right \d+ \d+ [0-9a-f]{64} [0-9a-f]{64}$/);
  await sound(page, "auditor-record");

  // New records are told of while the page is open; only where the newest are shown.
  await page.goto("/audit");
  const to = ["--to", "00000099000000004000:coach", "--purpose", "aanmelding", "--client", CLIENT, "--type", "werkfit.v1.Aanmelding"];
  await run(stage, "send", "gemeente/klantmanager", ...to, example("X05-aanmelding"));
  await page.waitForSelector("[data-live]:not([hidden])");
  assert.match(await page.textContent("[data-live]"), /1 nieuwe records? sinds/);

  // Days are those of the clock in the Netherlands, also in the hour before it is tomorrow there.
  const day = (offset) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Amsterdam" }).format(Date.now() + offset * 86_400_000);
  const rows = async (from, until) => {
    await page.goto(`/audit?from=${from}&until=${until}`);
    return page.locator("tbody tr").count();
  };
  assert.ok((await rows(day(-1), day(0))) >= 50);
  assert.equal(await rows(day(1), day(2)), 0);
  assert.equal(await rows(day(-3), day(-2)), 0);

  await page.goto("/audit/person");
  await page.getByLabel(/Burgerservicenummer/).fill(CLIENT);
  await page.getByLabel(/Reden/).fill("Klacht van de cliënt over een coach");
  await send(page, "Zoeken");
  assert.ok((await page.locator("tbody tr").count()) > 20);
  assert.ok(!(await page.content()).includes(CLIENT));
  await sound(page, "auditor-person");

  await page.goto("/audit/sample");
  const seed = await page.getByLabel("Zaad").inputValue();
  await page.getByLabel("Hoeveel records").fill("5");
  await send(page, "Trekken");
  const drawn = await page.locator("ol.work > li").evaluateAll((items) => items.map((item) => item.id));
  assert.equal(drawn.length, 5);
  await page.getByRole("textbox").first().fill(HOSTILE);
  await page.getByRole("checkbox").first().check();
  await send(page, "Bewaren");
  assert.match(await page.textContent("main"), /1 van 5 bekeken/);
  assert.equal(await page.getByRole("textbox").first().inputValue(), HOSTILE);
  await sound(page, "auditor-sample");
  await page.goto("/audit/sample");
  await page.getByLabel("Zaad").fill(seed);
  await page.getByLabel("Hoeveel records").fill("5");
  assert.match(await page.textContent("tbody"), /1 van 5 bekeken/);

  await page.goto("/audit/reports");
  await page.getByLabel(/Reden/).fill("Kwartaalcontrole van gebruik");
  await send(page, "Rapport maken");
  assert.match(await page.textContent("main"), /Medewerkers met veel cliënten[\s\S]*Meest bevraagde cliënten/);
  assert.ok(!(await page.content()).includes(CLIENT));
  await sound(page, "auditor-report");

  await page.goto("/audit/export");
  await page.getByLabel(/Reden/).fill("Kwartaalcontrole van gebruik");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Downloaden" }).click()]);
  const csv = readFileSync(await download.path(), "utf8");
  assert.ok(csv.split("\n").length > 40 && !csv.includes(CLIENT));

  await page.goto("/audit/health");
  await send(page, "Alles narekenen");
  assert.match(await page.getByRole("status").textContent(), /Alles klopt/);
  await sound(page, "auditor-health");
  await page.context().close();
});

test("a beheerder sees how it goes and no record", async () => {
  const page = await enter(chrome, stage, "beheerder-1");
  await page.goto("/");
  assert.deepEqual(await page.locator("header nav a").allTextContents().then((all) => all.map((text) => text.trim())), ["Overzicht", "Beleid", "Gezondheid"]);
  for (const path of ["/audit", "/audit/record/1", "/audit/person", "/inzage", "/audit/sample"]) {
    assert.equal((await page.goto(path)).status(), 403, path);
  }
  await page.getByRole("link", { name: "Gezondheid" }).click();
  await page.waitForURL(/health/);
  assert.equal(await page.locator(".tabs").count(), 0, "no section is offered that is closed");
  await send(page, "Alles narekenen");
  assert.match(await page.getByRole("status").textContent(), /Alles klopt/);
  await page.context().close();
});
