// The console in Debian's chromium: a day of a privacy officer, a day of an auditor, every page in both languages for
// axe-core, and what hostile or unlucky visitors do.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CLIENT, browser, demo, enter, send, sound } from "./demo.mjs";

const document = (name) => readFileSync(new URL(`../data/documents/${name}.json`, import.meta.url), "utf8");
const HOSTILE = `"><script>document.title='taken'</script>'{{7*7}}<img src=x onerror=alert(1)>\u202e&amp;`;
let stage, chrome;

before(async () => {
  stage = await demo();
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  stage?.end();
});

const PAGES = {
  "officer-1": ["/", "/?period=year", "/policies?purpose=beoordeling_belastbaarheid", "/policies/simulate", "/policies/changes",
    "/policies/lexicon", "/policies/contracts", "/audit", "/audit/record/5", "/audit/record/13", "/audit/person", "/audit/sample",
    "/audit/reports", "/audit/export", "/audit/health", "/inzage", "/nergens"],
};

for (const language of ["nl", "en"]) {
  test(`every page is sound for axe-core in ${language}`, async () => {
    const page = await enter(chrome, stage, "officer-1", { locale: language === "nl" ? "nl-NL" : "en-GB" });
    for (const path of PAGES["officer-1"]) {
      await page.goto(path, { waitUntil: "load" });
      assert.equal(await page.getAttribute("html", "lang"), language);
      await sound(page, `${language}${path.replace(/\W+/g, "-")}`);
    }
    await page.context().close();
  });
}

test("every page fits a narrow window, and the dark scheme is sound too", async () => {
  const page = await enter(chrome, stage, "officer-1", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  for (const path of ["/", "/policies", "/audit", "/audit/record/13", "/inzage", "/audit/health"]) {
    await page.goto(path, { waitUntil: "load" });
    await sound(page, `narrow-dark${path.replace(/\W+/g, "-")}`);
  }
  await page.context().close();
});

test("a privacy officer's day", async () => {
  const page = await enter(chrome, stage, "officer-1");
  await page.goto("/");
  assert.match(await page.textContent("main"), /Doorgegeven\s*13/);
  // By keyboard: the first stop leads past the navigation.
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => window.document.activeElement.getAttribute("href")), "#main");

  await page.getByRole("link", { name: "Beleid" }).click();
  await page.getByLabel("Doel").selectOption({ label: "beoordelen wat iemand kan" });
  await send(page, "Tonen");
  const diagnosis = page.getByRole("row", { name: /medisch\.diagnose/ }).first();
  assert.match(await diagnosis.textContent(), /volledig[\s\S]*niets[\s\S]*niets[\s\S]*niets/);

  await page.goto("/policies/simulate?exchange=M1");
  await page.getByLabel("Van wie aan wie").selectOption({ label: "GGZ Waterkant (behandelaar) → Opstap Re-integratie (coach)" });
  await page.getByLabel("Document (JSON)").fill(document("M1-medisch-verslag"));
  await send(page, "Uitproberen");
  const fields = (path) => page.getByRole("row", { name: path }).first().textContent();
  assert.match(await fields(/diagnoses\[0\]\.code/), /weggelaten[\s\S]*Geen medisch gegeven/);
  assert.match(await fields(/client\.voornaam/), /volledig/);
  await sound(page, "officer-simulated");
  await page.getByLabel("Document (JSON)").fill("{ geen json");
  await send(page, "Uitproberen");
  assert.match(await page.getByRole("alert").textContent(), /geen document van deze soort \(1:3\)/);
  assert.equal(await page.getByLabel("Document (JSON)").inputValue(), "{ geen json");

  await page.goto("/policies/lexicon");
  await page.getByLabel("Zin of tekst").fill("Mevrouw slikt oxazepam. Zij kan vier uur per dag licht werk doen.");
  await send(page, "Uitproberen");
  assert.deepEqual(await page.locator("p.text mark").allTextContents(), ["oxazepam"]);
  await sound(page, "officer-lexicon");

  await page.goto("/inzage");
  await page.getByLabel(/Burgerservicenummer/).fill("123456789");
  await page.getByLabel(/Reden/).fill("Verzoek van de cliënt zelf");
  await send(page, "Overzicht maken");
  assert.match(await page.getByRole("alert").textContent(), /geen BSN/);
  await page.getByLabel(/Burgerservicenummer/).fill(CLIENT);
  await send(page, "Overzicht maken");
  const answer = await page.textContent("main");
  assert.match(answer, /Overzicht van uw gegevens[\s\S]*Opstap Re-integratie \(coach\)/);
  assert.ok(!answer.includes(CLIENT) && !page.url().includes(CLIENT));
  await sound(page, "officer-inzage");
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: `${process.env.SCREENSHOTS || "/tmp"}/officer-inzage-print.png`, fullPage: true });
  await page.emulateMedia({ media: "screen" });

  // What was done stands in the log, without the BSN and the reason in the open.
  await page.goto("/audit?kind=access");
  const first = await page.locator("tbody tr").first().textContent();
  assert.match(first, /ingezien[\s\S]*inzage/);
  await page.locator("tbody a").first().click();
  await page.waitForSelector("[data-verify] .tag.pass");
  const raw = await page.locator("pre").textContent();
  assert.ok(!raw.includes(CLIENT) && !raw.includes("Verzoek") && !raw.includes("officer-1"));
  await page.getByRole("button", { name: "Afmelden" }).click();
  assert.match(await page.textContent("h1"), /afgemeld/);
  await page.context().close();
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
  assert.deepEqual(await page.locator("header nav a").allTextContents().then((all) => all.map((text) => text.trim())), ["Overzicht", "Beleid"]);
  for (const path of ["/audit", "/audit/record/1", "/audit/person", "/inzage", "/audit/sample"]) {
    assert.equal((await page.goto(path)).status(), 403, path);
  }
  await page.context().close();
});

test("hostile text in every field is text", async () => {
  const page = await enter(chrome, stage, "officer-1");
  page.on("dialog", () => page.complaints.push("a dialog"));
  const forms = [
    ["/policies/lexicon", "textarea[name=text]", "Uitproberen"],
    ["/policies/simulate", "textarea[name=document]", "Uitproberen"],
    ["/audit/person", "input[name=user]", "Zoeken"],
    ["/audit", "input[name=exchange]", "Filteren"],
    ["/audit/sample", "input[name=seed]", "Trekken"],
  ];
  for (const [path, field, button] of forms) {
    await page.goto(path);
    await page.fill(field, HOSTILE);
    const reason = page.locator("textarea[name=reason]");
    if (await reason.count()) await reason.fill(HOSTILE);
    await send(page, button);
    assert.notEqual(await page.title(), "taken", path);
    assert.equal(await page.locator("main img, main script:not([src])").count(), 0, path);
  }
  for (const path of ["/audit?organisation=%22%3E%3Cscript%3E&before=-1&from=2026-99-99", "/policies?purpose=%3Cb%3E", "/?period=%00"]) {
    assert.equal((await page.goto(path)).status(), 200, path);
  }
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
