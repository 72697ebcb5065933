// Every page of the console for axe-core, in both languages, wide and narrow, light and dark, also pages that a form or a refusal
// leads to; and as it is printed. With pictures of each.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT, arrive, browser, demo, document, emergency, enter, hold, send, shots, sound } from "./demo.mjs";

let stage, chrome, draft, words, sample, change;

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
  await officer.goto("/policies/lexicon");
  await officer.getByLabel("Woord of woorden").fill("energie");
  await officer.getByLabel("Dataklasse").selectOption({ label: "Klachten" });
  await send(officer, "Een woord toevoegen");
  words = new URL(officer.url()).pathname;
  await officer.goto("/audit/sample");
  await officer.getByLabel("Hoeveel records").fill("3");
  await send(officer, "Trekken");
  sample = new URL(officer.url()).pathname;
  change = await proposed(officer);
  await officer.context().close();
});
after(async () => {
  await chrome?.close();
  await stage?.end();
});

/** A change that waits to be tried. */
async function proposed(officer) {
  await officer.goto("/policies/drafts");
  await officer.getByLabel("Waar het om gaat").fill("Geen telefoon voor de coach");
  await send(officer, "Concept beginnen");
  const path = new URL(officer.url()).pathname;
  await officer.goto(`${path}/cell?exchange=X05&from=gemeente:klantmanager&to=rib:coach&class=arbeid`);
  await officer.locator("select[name=form]").selectOption("ja_nee");
  await officer.locator("input[name=nl]").fill("De coach hoeft alleen te weten of er iets is.");
  await officer.locator("input[name=en]").fill("The coach need only know whether there is something.");
  await officer.locator("input[name=ground]").fill("AP, De zieke werknemer");
  await send(officer, "Bewaren en nakijken");
  for (const who of ["officer-1", "officer-2"]) {
    await officer.goto(`${path}?check=yes`);
    await officer.setInputFiles("form[data-sign] input[type=file]", `${stage.pki}/signers/${who}.key.pem`);
    await officer.locator("form[data-sign] input[name=key]").fill(who);
    await send(officer, "Ondertekenen");
  }
  await send(officer, "Voorstellen");
  return new URL(officer.url()).pathname;
}

const cell = "?exchange=X05&from=gemeente:klantmanager&to=rib:coach&class=functioneel.uren";
const addresses = () => ["/", "/?period=day", "/?period=year", "/policies?purpose=beoordeling_belastbaarheid", "/policies/simulate", "/policies/drafts",
  `${draft}?check=yes`, `${words}?check=yes`, `${draft}/cells?purpose=aanmelding`, `${draft}/cell${cell}`, "/policies/changes", change, "/policies/shadow",
  "/policies/lexicon", "/policies/contracts", "/held", "/audit", "/audit?kind=erased", "/audit/record/5", "/audit/record/13", "/audit/person", "/audit/sample",
  sample, "/audit/reports", "/audit/escapes", "/audit/export", "/audit/health", "/inzage", "/nergens", "/policies/changes/nergens", "/policies/drafts/1/sign"];
/** The name of a picture: the address without what differs from run to run. */
const named = (path) => path.replace(words, "/policies/drafts/words").replace(/\d{10,}/, "1").replace(/changes\/[0-9a-f-]{36}/, "changes/1").replace(/\?.*class=/, "-").replace(/\W+/g, "-");

/** Sends the first form of the page with this action. */
const press = (page, action, button = "button") => arrive(page, () => page.locator(`main form[action="${action}"] ${button}`).first().click());
const because = (page) => page.locator("textarea[name=reason]").fill("Vraag van de cliënt zelf");

/** Pages that a form leads to: name, and how to come there. */
const steps = {
  "simulated": async (page) => {
    await page.goto("/policies/simulate?exchange=M1");
    await page.locator("select[name=way]").selectOption({ index: 3 });
    await page.locator("textarea").fill(document("M1-medisch-verslag"));
    await press(page, "/policies/simulate", "button:not([data-choose])");
  },
  "simulated-wrong": async (page) => {
    await page.goto("/policies/simulate?exchange=M1");
    await page.locator("textarea").fill("{ geen json");
    await press(page, "/policies/simulate", "button:not([data-choose])");
  },
  "sentence-tried": async (page) => {
    await page.goto("/policies/lexicon");
    await page.locator("textarea[name=text]").fill("Mevrouw slikt oxazepam. Zij kan vier uur per dag licht werk doen.");
    await press(page, "/policies/lexicon");
  },
  "past-texts": async (page) => {
    await page.goto(`${words}?check=yes`);
    await press(page, `${words}/past`);
  },
  "held-text": async (page) => {
    await page.goto("/held");
    await arrive(page, () => page.locator("main form button").first().click());
  },
  "person-wrong": async (page) => {
    await page.goto("/audit/person");
    await page.locator("input[name=bsn]").fill("123456789");
    await because(page);
    await press(page, "/audit/person");
  },
  "person-found": async (page) => {
    await page.goto("/audit/person");
    await page.locator("input[name=bsn]").fill(CLIENT);
    await because(page);
    await press(page, "/audit/person");
  },
  "report": async (page) => {
    await page.goto("/audit/reports");
    await because(page);
    await press(page, "/audit/reports");
  },
  "log-checked": async (page) => {
    await page.goto("/audit/health");
    await press(page, "/audit/health");
  },
  "inzage-answer": async (page) => {
    await page.goto("/inzage");
    await page.locator("input[name=bsn]").fill(CLIENT);
    await because(page);
    await press(page, "/inzage");
  },
  "inzage-nobody": async (page) => {
    await page.goto("/inzage");
    await page.locator("input[name=bsn]").fill("111222333");
    await because(page);
    await press(page, "/inzage");
  },
  "not-allowed": async (page) => {
    // The own change, approved by hand: the page does not offer it.
    await page.goto(change);
    await page.evaluate((change) => {
      const form = window.document.querySelector("main form");
      form.action = `${change}/activate`;
    }, change);
    await arrive(page, () => page.locator("main form button").first().click());
  },
  "session-ended": async (page) => {
    await page.goto("/policies/lexicon");
    await page.locator("textarea[name=text]").fill("Nog niet verstuurd.\nEn niet verloren.");
    await page.context().clearCookies({ name: "__Host-veldwacht" });
    await press(page, "/policies/lexicon");
  },
  "left": async (page) => {
    await page.goto("/");
    await arrive(page, () => page.locator("header form button").click());
  },
};

const WIDE = { width: 1366, height: 768 }, NARROW = { width: 390, height: 844 };

/** Looks at this page wide and narrow; narrow in Dutch by day, in English by night. */
async function looked(page, language, name) {
  assert.equal(await page.getAttribute("html", "lang"), language, name);
  await sound(page, `${language}${name}`);
  await page.emulateMedia({ colorScheme: language === "en" ? "dark" : "light" });
  await page.setViewportSize(NARROW);
  await sound(page, `${language}-narrow${name}`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(WIDE);
}

for (const language of ["nl", "en"]) {
  test(`every page is sound for axe-core in ${language}, wide and on a phone, by day and by night`, async () => {
    const page = await enter(chrome, stage, "officer-1", { locale: language === "nl" ? "nl-NL" : "en-GB", viewport: WIDE });
    for (const path of addresses()) {
      await page.goto(path, { waitUntil: "load" });
      await looked(page, language, named(path));
    }
    for (const [name, come] of Object.entries(steps)) {
      await come(page);
      await looked(page, language, `-${name}`);
    }
    await page.context().close();
    // Who has no certificate that counts here is told in their language.
    const [certPath, keyPath] = ["rib/coach.pem", "rib/coach.key.pem"].map((file) => join(stage.pki, file));
    const options = { clientCertificates: [{ origin: stage.origin, certPath, keyPath }], locale: language === "nl" ? "nl-NL" : "en-GB", viewport: WIDE };
    const stranger = await enter(chrome, stage, "officer-1", options);
    await stranger.goto("/");
    await looked(stranger, language, "-closed");
    await stranger.context().close();
  });
}

test("every page fits a window of 320 pixels, as wide as a page at four times its size", async () => {
  const page = await enter(chrome, stage, "officer-1", { viewport: { width: 320, height: 640 } });
  for (const path of addresses()) {
    await page.goto(path, { waitUntil: "load" });
    const wide = await page.evaluate(() => window.document.documentElement.scrollWidth - window.document.documentElement.clientWidth);
    assert.ok(wide <= 1, `${path} is ${wide} pixels wider than its window`);
  }
  await page.context().close();
});

test("pages are printed without what only a screen needs", async () => {
  for (const language of ["nl", "en"]) {
    const page = await enter(chrome, stage, "officer-1", { viewport: { width: 794, height: 1123 }, locale: language === "nl" ? "nl-NL" : "en-GB" });
    const printed = async (name) => {
      writeFileSync(join(shots, `print-${language}${name}.pdf`), await page.pdf({ format: "A4", preferCSSPageSize: true }));
      await page.emulateMedia({ media: "print" });
      for (const part of ["header.side", ".tabs", "main form button", "main .acts"]) {
        for (const one of await page.locator(part).all()) assert.equal(await one.isVisible(), false, `${name}: ${part}`);
      }
      assert.equal(await page.locator("h1").isVisible(), true, name);
      await page.emulateMedia({ media: null });
    };
    for (const path of ["/", "/policies?purpose=beoordeling_belastbaarheid", "/audit/record/13", "/audit/health", sample]) {
      await page.goto(path, { waitUntil: "load" });
      await printed(named(path));
    }
    await steps["inzage-answer"](page);
    await printed("-inzage-answer");
    await page.context().close();
  }
});

test("there is a picture of every page", () => {
  const kept = new Set(readdirSync(shots));
  const names = [...addresses().map(named), ...Object.keys(steps).map((name) => `-${name}`), "-closed"];
  for (const name of names) for (const how of ["nl", "nl-narrow", "en", "en-narrow"]) assert.ok(kept.has(`${how}${name}.png`), name);
});
