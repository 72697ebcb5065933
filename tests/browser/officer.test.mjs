// What a privacy officer does: a day from the first look to the last, two officers on one draft, a cell, a word, going back,
// and a text that was held.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT, HOSTILE, arrive, browser, demo, document, emergency, enter, example, hold, run, send, sound } from "./demo.mjs";

let stage, chrome;

before(async () => {
  stage = await demo();
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  await stage?.end();
});

/** Signs the draft of this page with the key of an officer, which stays in the browser. */
async function sign(page, who) {
  await page.setInputFiles("form[data-sign] input[type=file]", `${stage.pki}/signers/${who}.key.pem`);
  await page.getByLabel("Naam van de sleutel").fill(who);
  await Promise.all([page.waitForURL(/outcome/), page.getByRole("button", { name: "Ondertekenen" }).click()]);
  await page.waitForLoadState("networkidle");
}

/** Takes a draft all the way: both sign it, `author` proposes and tries it, the others approve, it is put in force. */
async function decide(draft, author, others) {
  for (const [who, page] of [["officer-1", others[0]], ["officer-2", author]]) {
    await page.goto(`${draft}?check=yes`);
    await sign(page, who);
  }
  await author.goto(`${draft}?check=yes`);
  assert.match(await author.textContent("#outcome"), /Ondertekend door:\s*officer-1, officer-2/);
  await send(author, "Voorstellen");
  assert.match(await author.textContent("main"), /wacht op uitproberen[\s\S]*officer-2/);
  await send(author, "Uitproberen op het verleden");
  assert.match(await author.textContent("main"), /Dit is uw eigen wijziging/);
  assert.equal(await author.getByRole("button", { name: "Goedkeuren" }).count(), 0);
  for (const other of others) {
    await other.goto(author.url());
    await send(other, "Goedkeuren");
  }
  await others[0].goto(author.url());
  await send(others[0], "In gebruik nemen");
  assert.match(await others[0].textContent("main"), /in gebruik genomen/);
}

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
  // A cell's rule is told in its sentence, on the spot and by keyboard.
  await diagnosis.getByRole("button", { name: /^Regel \d+$/ }).nth(2).focus();
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".says:popover-open").textContent(), /Geen medisch gegeven/);
  await sound(page, "officer-rule-of-cell");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".says:popover-open").count(), 0);

  await page.goto("/policies/simulate?exchange=M1");
  await page.getByLabel("Van wie aan wie").selectOption({ label: "GGZ Waterkant (behandelaar) → Opstap Re-integratie (coach)" });
  await page.getByLabel("Document (JSON)").fill(document("M1-medisch-verslag"));
  await send(page, "Uitproberen");
  const fields = (path) => page.getByRole("row", { name: path }).first().textContent();
  assert.match(await fields(/diagnoses\[0\]\.code/), /weggelaten[\s\S]*Geen medisch gegeven/);
  assert.match(await fields(/client\.voornaam/), /volledig/);
  await sound(page, "officer-simulated");
  // Another exchange, and back: the lists follow, and what was typed stays.
  await arrive(page, () => page.getByLabel("Uitwisseling").selectOption("X05"));
  await arrive(page, () => page.getByLabel("Uitwisseling").selectOption("M1"));
  assert.match(await page.getByLabel("Document (JSON)").inputValue(), /diagnoses/);
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
  const coach = page.locator("table").first().getByRole("row", { name: /Opstap Re-integratie \(coach\)/ });
  assert.match(await coach.textContent(), /\d+ nov 20\d\d|20\d\d/);
  assert.doesNotMatch(await coach.textContent(), /Diagnose|Medicatie|Verslaving/, "what a coach received in all");
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
  await send(page, "Afmelden");
  assert.match(await page.textContent("h1"), /afgemeld/);
  await page.context().close();
});

test("two officers on one draft: nothing is overwritten, errors stand in place, a widening is told, signed and proposed", async () => {
  const one = await enter(chrome, stage, "officer-1");
  const two = await enter(chrome, stage, "officer-2");
  await one.goto("/policies/drafts");
  await one.getByLabel("Waar het om gaat").fill("Uren voor de coach " + HOSTILE);
  await send(one, "Concept beginnen");
  const address = one.url();
  const file = address.split("?")[0] + "?file=rules%2Frib.cedar";
  await one.goto(file);
  await two.goto(file);
  const text = await one.locator("textarea[name=text]").inputValue();
  await one.locator("textarea[name=text]").fill(text + "\npermit (");
  await send(one, "Bewaren en nakijken");
  assert.match(await one.getByRole("alert").textContent(), /rules\/rib\.cedar/);
  await sound(one, "draft-with-errors");
  await two.locator("textarea[name=text]").fill(text + "\n// van officer-2");
  await send(two, "Bewaren en nakijken");
  assert.match(await two.getByRole("alert").textContent(), /officer-1/);
  assert.match(await two.locator("textarea[name=text]").inputValue(), /van officer-2/);
  await sound(two, "draft-overtaken");
  await one.locator("textarea[name=text]").fill(text + "\n// van officer-2");
  await send(one, "Bewaren en nakijken");
  assert.match(await one.textContent("#outcome"), /In betekenis verandert er niets/);
  for (const [page, who] of [[one, "officer-1"], [two, "officer-2"]]) {
    await page.goto(address.split("?")[0] + "?check=yes", { waitUntil: "networkidle" });
    await page.setInputFiles("form[data-sign] input[type=file]", `${stage.pki}/signers/${who}.key.pem`);
    await Promise.all([page.waitForURL(/outcome/), page.getByRole("button", { name: "Ondertekenen" }).click()]);
    await page.waitForLoadState("networkidle");
  }
  assert.match(await two.textContent("#outcome"), /Ondertekend door:\s*officer-1, officer-2/);
  await sound(two, "draft-signed");
  await send(two, "Voorstellen");
  assert.match(await two.textContent("main"), /wacht op uitproberen[\s\S]*officer-2/);
  await send(two, "Uitproberen op het verleden");
  assert.match(await two.textContent("main"), /Dit is uw eigen wijziging/);
  await one.goto(two.url());
  await send(one, "Goedkeuren");
  await send(one, "In gebruik nemen");
  assert.match(await one.textContent("main"), /in gebruik genomen/);
  await sound(one, "change-active");
  await one.goto("/");
  assert.match(await one.textContent("aside"), /nummer 2/);
  await one.context().close();
  await two.context().close();
});


test("a word becomes part of the policy by a draft: tried, seen as a line, signed, approved, put in force", async () => {
  const [one, two, three] = await Promise.all(["officer-1", "officer-2", "officer-3"].map((who) => enter(chrome, stage, who)));
  const SENTENCE = "Mevrouw vertelt over de gruizel van vorige week.";
  const PAST_SENTENCE = "Kan een half uur met de gruizel bezig zijn.";
  const letter = join(stage.folder, "gruizel.json");
  writeFileSync(letter, document("X05-aanmelding").replace("Kan zich een half uur achter elkaar op een taak richten.", PAST_SENTENCE));
  const to = ["--to", "00000099000000004000:coach", "--purpose", "aanmelding", "--client", CLIENT, "--type", "werkfit.v1.Aanmelding"];
  assert.match((await run(stage, "send", "gemeente/klantmanager", ...to, letter)).said, /"delivered"/);
  const marked = async (page) => {
    await page.getByLabel("Zin of tekst").fill(SENTENCE);
    await send(page, "Uitproberen");
    return page.locator("p.text mark").allTextContents();
  };
  await two.goto("/policies/lexicon");
  assert.deepEqual(await marked(two), []);
  await two.getByLabel("Woord of woorden").fill(HOSTILE);
  await two.getByLabel("Dataklasse").selectOption({ label: "Klachten" });
  await send(two, "Een woord toevoegen");
  assert.match(await two.getByRole("alert").textContent(), /Schrijf één woord/);
  assert.equal(await two.getByLabel("Woord of woorden").inputValue(), HOSTILE.slice(0, 60));
  await two.getByLabel("Woord of woorden").fill("oxazepam");
  await two.getByLabel("Dataklasse").selectOption({ label: "Medicatie" });
  await send(two, "Een woord toevoegen");
  assert.match(await two.getByRole("alert").textContent(), /wordt al gelezen als Medicatie/);
  await two.getByLabel("Woord of woorden").fill("gruizel");
  await two.getByLabel("Dataklasse").selectOption({ label: "Klachten" });
  await send(two, "Een woord toevoegen");
  const draft = new URL(two.url()).pathname;
  assert.match(await two.textContent("#outcome"), /gruizel\s+medisch\.klacht[\s\S]*verruimt[\s\S]*woorden die de poort leest/);
  await sound(two, "lexicon-draft");
  // Which past texts it would have stopped: by record, rule and hash, and never in words.
  await send(two, "Welke teksten van toen?");
  const past = await two.textContent("main");
  assert.match(past, /\d+ leveringen geopend, \d+ teksten vergeleken/);
  assert.match(past, /Was tegengehouden: [1-9]/);
  assert.match(await two.locator("tbody tr").first().textContent(), /#\d+[\s\S]*Klachten[\s\S]*eigen\.woord[\s\S]*[0-9a-f]{64}/);
  assert.ok(!(await two.content()).includes(PAST_SENTENCE), "no text is shown");
  await sound(two, "lexicon-past");
  await two.goto("/audit?kind=access");
  assert.match(await two.locator("tbody tr").first().textContent(), /wat een andere woordenlijst had tegengehouden/);
  await two.goto("/policies/lexicon");
  assert.deepEqual(await marked(two), [], "a draft decides nothing");
  await two.getByLabel("Met de woorden van").selectOption({ label: "Woordenlijst: gruizel" });
  assert.deepEqual(await marked(two), ["gruizel"]);
  await sound(two, "lexicon-with-draft");
  // What a list of words means is for people to read: it counts as a widening, and takes two others.
  await decide(draft, two, [one, three]);
  await one.goto("/policies/lexicon");
  assert.deepEqual(await marked(one), ["gruizel"]);
  for (const page of [one, two, three]) await page.context().close();
});

test("a cell of the matrix is narrowed by a form, and going back takes two others", async () => {
  const [one, two, three] = await Promise.all(["officer-1", "officer-2", "officer-3"].map((who) => enter(chrome, stage, who)));
  await two.goto("/policies/drafts");
  await two.getByLabel("Waar het om gaat").fill("Minder uren voor de coach");
  await send(two, "Concept beginnen");
  const draft = new URL(two.url()).pathname;
  await two.goto(`${draft}/cells?purpose=aanmelding`);
  const work = (page) => page.locator("section.matrix", { has: page.getByText("X05") }).first().getByRole("row", { name: /arbeid/ });
  await work(two).locator('a.cell[href*="to=rib%3Acoach"]').click();
  await one.goto(two.url());
  await one.getByLabel("Wat aankomt").selectOption({ label: "niets" });
  await two.getByLabel("Wat aankomt").selectOption({ label: "alleen ja of nee" });
  for (const page of [one, two]) {
    await page.getByLabel("Waarom, in het Nederlands").fill(`De coach hoeft alleen te weten of er iets is. ${HOSTILE}`);
    await page.getByLabel("Waarom, in het Engels").fill("The coach need only know whether there is something.");
    await page.getByLabel("Grond").fill("AP, De zieke werknemer");
  }
  await send(two, "Bewaren en nakijken");
  assert.match(await two.textContent("#outcome"), /versmalt[\s\S]*alleen ja of nee/);
  assert.match(await two.locator("pre.excerpt .line.in").allTextContents().then((all) => all.join("\n")), /Action::"ja_nee"[\s\S]*einde cel/);
  await sound(two, "draft-cell-narrowed");
  await send(one, "Bewaren en nakijken");
  assert.match(await one.getByRole("alert").textContent(), /officer-2/, "the second to save is told");
  assert.equal(await one.getByLabel("Wat aankomt").inputValue(), "-");
  assert.ok((await one.getByLabel("Waarom, in het Nederlands").inputValue()).endsWith(HOSTILE), "nothing typed is lost");
  await sound(one, "draft-cell-overtaken");
  await two.goto(`${draft}/cells?purpose=aanmelding`);
  assert.match(await work(two).textContent(), /alleen ja of nee[\s\S]*anders dan nu geldt/);
  // A document under the rules of the draft, beside those in force.
  const tried = async (rules) => {
    await two.goto("/policies/simulate?exchange=X05");
    await arrive(two, () => two.getByLabel("Met de regels van").selectOption({ label: rules }));
    await two.getByLabel("Van wie aan wie").selectOption({ label: "Gemeente Lindeveen (klantmanager) → Opstap Re-integratie (coach)" });
    await two.getByLabel("Document (JSON)").fill(document("X05-aanmelding"));
    await send(two, "Uitproberen");
    return two.getByRole("row", { name: /opleiding\.diploma/ }).first().textContent();
  };
  assert.match(await tried("Minder uren voor de coach"), /weggelaten[\s\S]*De coach hoeft alleen te weten/);
  await two.goto("/policies/simulate?exchange=X05");
  await sound(two, "draft-cells-changed");
  await decide(draft, two, [one]);
  await one.goto("/policies?purpose=aanmelding");
  assert.match(await work(one).textContent(), /alleen ja of nee/);

  // Back: the old content under a higher number. It gives the hours back, so it widens and takes two others.
  await two.goto("/policies/changes");
  await sound(two, "changes-with-before");
  const earlier = two.getByRole("button", { name: /Terug hierheen/ }).first();
  await Promise.all([two.waitForURL(/drafts/), earlier.click()]);
  const back = new URL(two.url()).pathname;
  assert.match(await two.textContent("main"), /gaat terug naar wat eerder gold/);
  await sound(two, "rollback-draft");
  await decide(back, two, [one, three]);
  await one.goto("/policies/changes");
  assert.match(await one.locator("tbody tr").first().textContent(), /gaat terug naar wat eerder gold/);
  await one.goto("/policies?purpose=aanmelding");
  assert.doesNotMatch(await work(one).textContent(), /alleen ja of nee/);
  for (const page of [one, two, three]) await page.context().close();
});

test("a cell that a guardrail decides cannot be chosen, and a choice that an assertion forbids is told and taken back", async () => {
  const page = await enter(chrome, stage, "officer-1");
  await page.goto("/policies/drafts");
  await page.getByLabel("Waar het om gaat").fill("Diagnose voor de coach");
  await send(page, "Concept beginnen");
  const draft = new URL(page.url()).pathname;
  await page.goto(`${draft}/cell?exchange=M1&from=ggz:behandelaar&to=rib:coach&class=medisch.diagnose`);
  assert.match(await page.textContent("main"), /vangrail beslist/);
  assert.equal(await page.getByRole("button", { name: "Bewaren en nakijken" }).count(), 0);
  await page.goto(`${draft}/cell?exchange=X05&from=gemeente:klantmanager&to=rib:coach&class=functioneel.uren`);
  await page.getByLabel("Wat aankomt").selectOption({ label: "niets" });
  await page.getByLabel("Waarom, in het Nederlands").fill("De coach hoeft de uren niet te weten.");
  await page.getByLabel("Waarom, in het Engels").fill("The coach need not know the hours.");
  await page.getByLabel("Grond").fill("geen");
  await send(page, "Bewaren en nakijken");
  assert.match(await page.getByRole("alert").textContent(), /assertions\.toml[\s\S]*beperkingen-bij-de-coach/);
  assert.match(await page.locator("pre.excerpt .it").first().textContent(), /beperkingen-bij-de-coach/);
  assert.equal(await page.getByRole("button", { name: "Voorstellen" }).count(), 0);
  await sound(page, "draft-assertion");
  await page.getByRole("link", { name: "Als cellen" }).click();
  await page.getByRole("link", { name: /X05 gemeente:klantmanager → rib:coach: functioneel\.uren/ }).click();
  await send(page, "Keuze terugnemen");
  assert.match(await page.textContent("#outcome"), /In betekenis verandert er niets/);
  await page.context().close();
});

test("a held text is read on the record, proposed by one officer and confirmed by another", async () => {
  const delivery = await hold(stage);
  const [one, two, auditor] = await Promise.all(["officer-1", "officer-2", "auditor-1"].map((who) => enter(chrome, stage, who)));
  await one.goto("/");
  await one.getByRole("link", { name: /vastgehouden tekst(en)? om te beslissen/ }).click();
  await sound(one, "held-queue");
  const open = async (page) => {
    await page.goto("/held");
    await page.locator(`form[action="/held/${delivery}"] button`).click();
    await page.waitForSelector(".held-text");
  };
  await open(one);
  assert.ok((await one.locator(".held-text mark").allTextContents()).some((text) => /alcohol|coca/i.test(text)));
  assert.ok(!one.url().includes(CLIENT));
  await sound(one, "held-opened");
  await one.getByLabel("Reden").first().selectOption({ label: "vals alarm: de tekst zegt dit niet" });
  await send(one, "Vrijgave voorstellen");
  assert.match(await one.getByRole("status").textContent(), /Een andere officer moet haar bevestigen/);
  await open(one);
  assert.equal(await one.getByRole("button", { name: /Vrijgave/ }).count(), 0, "not the own proposal");
  assert.match(await one.textContent("main"), /U hebt deze vrijgave zelf voorgesteld/);
  await sound(one, "held-own-proposal");
  // Nor by hand.
  const token = await one.locator("main input[name=_token]").first().inputValue();
  const headers = { origin: stage.origin };
  const post = (page, form) => page.request.post(`/held/${delivery}/release`, { headers, form, failOnStatusCode: false, maxRedirects: 0 });
  const alone = await post(one, { _token: token, ground: "vals-alarm" });
  assert.equal(alone.status(), 403);
  assert.match(await alone.text(), /vraagt twee officers/);
  assert.equal((await auditor.goto("/held")).status(), 403);
  const theirs = await auditor.locator("input[name=_token]").first().inputValue();
  assert.equal((await post(auditor, { _token: theirs, ground: "vals-alarm" })).status(), 403);
  assert.equal(await auditor.getByRole("link", { name: "Teksten" }).count(), 0);

  await open(two);
  assert.match(await two.textContent("main"), /voorgesteld door officer-1: vals alarm/);
  await sound(two, "held-to-confirm");
  await two.getByLabel("Reden").first().selectOption({ label: "vals alarm: de tekst zegt dit niet" });
  await send(two, "Vrijgave bevestigen");
  assert.match(await two.getByRole("status").textContent(), /de ontvanger kan haar ophalen/);
  await sound(two, "held-released");
  const collected = await run(stage, "collect", "gemeente/klantmanager");
  assert.match(collected.out, /cocaïne|alcohol/, "its receiver has it");

  const refused = await hold(stage);
  await two.goto("/held");
  await two.locator(`form[action="/held/${refused}"] button`).click();
  await two.waitForSelector(".held-text");
  await two.getByLabel("Reden").last().selectOption({ label: "het is een bijzonder persoonsgegeven" });
  await send(two, "Vastgehouden laten");
  assert.match(await two.getByRole("status").textContent(), /blijft vastgehouden/);
  await sound(two, "held-decided");
  await auditor.goto("/audit?kind=release");
  assert.equal(await auditor.locator("tbody tr").count(), 3);
  for (const page of [one, two, auditor]) await page.context().close();
});

test("an officer looks at an emergency, and that stands in the log", async () => {
  await emergency(stage);
  const page = await enter(chrome, stage, "officer-1");
  await page.goto("/audit/escapes");
  assert.match(await page.locator("tbody tr").first().textContent(), /behandelaar[\s\S]*gevaar/i);
  await sound(page, "officer-escapes");
  await page.getByRole("link", { name: /Alles van deze uitwisseling/ }).first().click();
  assert.match(await page.textContent("tbody"), /noodgeval/);
  await page.goto("/audit?kind=access");
  assert.match(await page.locator("tbody tr").first().textContent(), /noodgevallen/);
  await page.context().close();
});
