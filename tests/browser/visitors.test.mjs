// Visitors who are hostile or unlucky: texts that would be a program, sessions that end, gateways that start again, doors that
// are closed.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT, HOSTILE, browser, demo, enter, example, run, send, sound, start } from "./demo.mjs";

/** The coach no longer learns of a driving licence. */
const NARROWER = `
@id("rib-geen-rijbewijs")
@nl("Of iemand een rijbewijs heeft, gaat niet naar het re-integratiebedrijf.")
@en("Whether someone has a driving licence does not go to the re-integration company.")
@ground("AP, De zieke werknemer: het RIB alleen wat de opdracht vraagt")
forbid (
  principal in Soort::"rib",
  action in Action::"doorgeven",
  resource == Waardeveld::"werkfit.v1.Opleiding.rijbewijs"
);
`;

let stage, chrome;

before(async () => {
  stage = await demo();
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  await stage?.end();
});

test("hostile text in every field is text", async () => {
  const page = await enter(chrome, stage, "officer-1");
  page.on("dialog", () => page.complaints.push("a dialog"));
  const forms = [
    ["/policies/lexicon", "textarea[name=text]", "Uitproberen"],
    ["/policies/lexicon", "input[name=term]", "Een woord toevoegen"],
    ["/policies/simulate", "textarea[name=document]", "Uitproberen"],
    ["/policies/drafts", "input[name=title]", "Concept beginnen"],
    ["/audit/person", "input[name=user]", "Zoeken"],
    ["/audit", "input[name=exchange]", "Filteren"],
    ["/audit/sample", "input[name=seed]", "Trekken"],
    ["/audit/export", "textarea[name=reason]", null],
    ["/audit/reports", "textarea[name=reason]", "Rapport maken"],
    ["/inzage", "input[name=bsn]", "Overzicht maken"],
  ];
  for (const [path, field, button] of forms) {
    await page.goto(path);
    await page.fill(field, HOSTILE);
    const reason = page.locator("textarea[name=reason]");
    if (await reason.count()) await reason.fill(HOSTILE);
    for (const choice of await page.locator("main select[required]").all()) await choice.selectOption({ index: 1 });
    if (button) await send(page, button);
    assert.notEqual(await page.title(), "taken", path);
    assert.equal(await page.locator("main img, main script:not([src])").count(), 0, path);
  }
  // What organisations may say of themselves and of what they send is hostile too: a user's name, and it is shown.
  const users = ["--to", "00000099000000004000:coach", "--purpose", "aanmelding", "--client", CLIENT, "--type", "werkfit.v1.Aanmelding", "--user", HOSTILE];
  await run(stage, "send", "gemeente/klantmanager", ...users, example("X05-aanmelding"));
  await page.goto("/audit/reports");
  await page.locator("textarea[name=reason]").fill("Wie vroeg wat, en hoe vaak");
  await send(page, "Rapport maken");
  assert.ok((await page.textContent("main")).includes("document.title='taken'"), "shown as text");
  await page.goto("/policies/drafts");
  assert.ok((await page.textContent("tbody")).includes("document.title='taken'"));
  await page.locator("tbody a").first().click();
  await page.locator("textarea[name=text]").fill(`@id("x")\n@nl("${HOSTILE}") permit (`);
  await send(page, "Bewaren en nakijken");
  assert.match(await page.getByRole("alert").textContent(), /rules\/gemeente\.cedar:\d+:\d+/);
  await sound(page, "hostile-draft");
  for (const path of ["/audit?organisation=%22%3E%3Cscript%3E&before=-1&from=2026-99-99", "/policies?purpose=%3Cb%3E", "/?period=%00", "/held?said=%3Cb%3E"]) {
    assert.equal((await page.goto(path)).status(), 200, path);
  }
  for (const path of ["/held/%3Cscript%3E/release", "/policies/drafts/1%22", "/policies/drafts/99/cell?class=%3Cb%3E", "/policies/changes/%00"]) {
    const answer = await page.request.get(path, { failOnStatusCode: false });
    assert.ok([400, 404, 405].includes(answer.status()), path);
    assert.match(await answer.text(), /<h1>Deze pagina is er niet<\/h1>/, path);
  }
  assert.notEqual(await page.title(), "taken");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("nothing typed is lost when the session has ended, and nothing was sent", async () => {
  const page = await enter(chrome, stage, "officer-1");
  await page.goto("/policies/lexicon");
  await page.getByLabel("Zin of tekst").fill("Mevrouw slikt oxazepam.\nEn dit is de tweede regel.");
  await page.context().clearCookies();
  await send(page, "Uitproberen");
  assert.match(await page.textContent("h1"), /sessie was afgelopen/);
  await sound(page, "session-ended");
  assert.match(await page.locator("textarea").inputValue(), /oxazepam\.\nEn dit/);
  await send(page, "Opnieuw versturen");
  assert.deepEqual(await page.locator("p.text mark").allTextContents(), ["oxazepam"]);
  await page.context().close();
});

test("a form from elsewhere, and one without its token, does nothing", async () => {
  const page = await enter(chrome, stage, "officer-1");
  await page.goto("/");
  const post = (headers, data) => page.request.post("/audit/person", { headers, form: data, failOnStatusCode: false });
  const before = await page.getAttribute("[data-live]", "data-live");
  const typed = { bsn: CLIENT, reason: "Een reden die lang genoeg is" };
  assert.equal((await post({ origin: "https://evil.example" }, typed)).status(), 403);
  assert.equal((await post({ origin: stage.origin }, typed)).status(), 409);
  await page.reload();
  assert.equal(await page.getAttribute("[data-live]", "data-live"), before, "nothing was recorded, for nothing was looked at");
  await page.context().close();
});

test("a one-time link opens once, on this machine only", async () => {
  const context = await chrome.newContext({ locale: "nl-NL" });
  const page = await context.newPage();
  await page.goto(stage.links["auditor-1"]);
  assert.match(await page.textContent("header"), /auditor-1/);
  const other = await (await chrome.newContext({ locale: "nl-NL" })).newPage();
  assert.equal((await other.goto(stage.links["auditor-1"])).status(), 403);
  const { hostname, port } = new URL(stage.links["officer-2"]);
  assert.equal(hostname, "localhost");
  const elsewhere = await page.request.get(`http://localhost:${port}/`, { headers: { host: "evil.example" }, failOnStatusCode: false });
  assert.equal(elsewhere.status(), 403);
});

test("without a certificate nobody comes in, and an organisation's certificate is none", async () => {
  const stranger = await chrome.newContext({ ignoreHTTPSErrors: true });
  await assert.rejects((await stranger.newPage()).goto(stage.origin));
  const organisation = await chrome.newContext({
    ignoreHTTPSErrors: true,
    clientCertificates: [{ origin: stage.origin, certPath: `${stage.pki}/rib/coach.pem`, keyPath: `${stage.pki}/rib/coach.key.pem` }],
  });
  assert.equal((await (await organisation.newPage()).goto(stage.origin)).status(), 403);
});

test("every answer has the headers that keep other sites out", async () => {
  const page = await enter(chrome, stage, "officer-1");
  for (const path of ["/", "/nergens", "/audit/key"]) {
    const headers = (await page.request.get(path, { failOnStatusCode: false })).headers();
    assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
    assert.ok(!headers["content-security-policy"].includes("unsafe-inline"));
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(headers["strict-transport-security"], /max-age=\d{8}/);
  }
  await page.context().close();
});

test("a gateway that starts again under a page loses nothing that was typed, and the page hears of it again", async () => {
  const page = await enter(chrome, stage, "officer-2");
  const overview = await page.context().newPage();
  await page.goto("/policies/drafts");
  await page.getByLabel("Waar het om gaat").fill("Over een herstart heen");
  await send(page, "Concept beginnen");
  const draft = new URL(page.url()).pathname;
  const text = await page.locator("textarea[name=text]").inputValue();
  await page.locator("textarea[name=text]").fill(`${text}\n// getypt voor de herstart`);
  await overview.goto("/");

  // Sent while nobody listens: the page stays, with what was typed, and says what happened and when it is over.
  await stage.stop();
  page.unanswered = true; // the browser says so as well, each time
  await page.getByRole("button", { name: "Bewaren en nakijken" }).click();
  await page.waitForSelector("[data-down].stop");
  assert.match(await page.getByRole("alert").last().textContent(), /niet bereikbaar[\s\S]*staat hier nog/);
  assert.equal(new URL(page.url()).pathname, draft);
  assert.ok((await page.locator("textarea[name=text]").inputValue()).endsWith("// getypt voor de herstart"));
  await sound(page, "gateway-away");
  const config = join(stage.folder, "gateway.toml");
  const port = (address) => new URL(address).port;
  const witness = await start(["log", "witness", "--listen", "127.0.0.1:0", "--state", join(stage.folder, "witness"),
    "--name", "w.example", "--log", join(stage.folder, "log.vkey")], /listening on/);
  const [, key, url] = /witness (\S+), listening on (\S+)/.exec(witness.told);
  cpSync(join(stage.folder, "bundle"), join(stage.folder, "shadow"), { recursive: true });
  appendFileSync(join(stage.folder, "shadow/rules/rib.cedar"), NARROWER);
  const settings = readFileSync(config, "utf8")
    .replace('listen = "127.0.0.1:0"', `listen = "127.0.0.1:${port(`https://${stage.gateway}`)}"\nshadow = "shadow"`)
    .replace('[console]\nlisten = "127.0.0.1:0"', `[console]\nlisten = "127.0.0.1:${port(stage.origin)}"`)
    .replace("publish_every_ms", "quorum = 1\npublish_every_ms");
  writeFileSync(config, `${settings}\n[[log.witness]]\nkey = "${key}"\nurl = "${url}"\n`);
  stage.stop = (await start(["serve", "--config", config], /listening on/)).end;

  await page.waitForSelector("[data-down].pass");
  page.unanswered = false;
  assert.match(await page.getByRole("alert").last().textContent(), /is er weer/);
  await send(page, "Bewaren en nakijken");
  assert.match(await page.textContent("h1"), /sessie was afgelopen/);
  assert.ok((await page.locator("textarea").inputValue()).endsWith("// getypt voor de herstart"));
  assert.equal(await page.getByText("version", { exact: true }).count(), 0, "only what was typed is shown");
  await sound(page, "restarted");
  // The way back leads to the page as it was left, too.
  await send(page, "Opnieuw versturen");
  assert.equal(new URL(page.url()).pathname, draft);
  assert.ok((await page.locator("textarea[name=text]").inputValue()).trimEnd().endsWith("// getypt voor de herstart"));
  assert.match(await page.textContent("#outcome"), /In betekenis verandert er niets/);

  const to = ["--to", "00000099000000004000:coach", "--purpose", "aanmelding", "--client", CLIENT, "--type", "werkfit.v1.Aanmelding"];
  await run(stage, "send", "gemeente/klantmanager", ...to, example("X05-aanmelding"));
  await overview.waitForSelector("[data-live]:not([hidden])");

  // The draft in the shadow has counted it, and the witness cosigns until it is gone.
  await page.goto("/policies/shadow");
  assert.match(await page.textContent("main"), /Beslissingen vergeleken: 1\. Anders geweest: 1/);
  assert.match(await page.textContent("tbody"), /rijbewijs/);
  await sound(page, "shadow");
  const health = async (pattern) => {
    for (let tries = 0; tries < 40; tries += 1) {
      await page.goto("/audit/health");
      if (pattern.test(await page.textContent("main"))) return;
      await page.waitForTimeout(250);
    }
    assert.match(await page.textContent("main"), pattern);
  };
  await health(/w\.example\s*✓ tekent mee/);
  await sound(page, "health-witness");
  await witness.end();
  await run(stage, "send", "gemeente/klantmanager", ...to, example("X05-aanmelding"));
  await health(/w\.example\s*tekent niet[\s\S]*tekende bij \d+ records/);
  await sound(page, "health-witness-hangs");
  await page.context().close();
});
