// Signs a draft here, with a key that never leaves this browser: the form goes on with the signature only.
"use strict";

document.querySelectorAll("form[data-sign]").forEach((form) => {
  form.addEventListener("submit", async (event) => {
    const field = form.elements.signature;
    if (field.value) return;
    event.preventDefault();
    const chosen = form.querySelector("input[type=file]");
    try {
      const pem = await chosen.files[0].text();
      const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0));
      // PKCS #8 of version 2 has the public key behind the private one; browsers take version 1, the first 48 bytes.
      const pkcs8 = der.slice(0, 48); pkcs8[1] = 46; pkcs8[4] = 0;
      const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
      const text = document.querySelector("[data-statement]").textContent.trimEnd() + "\n";
      const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text)));
      field.value = Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
      chosen.value = "";
      chosen.required = false;
      form.requestSubmit();
    } catch (error) {
      chosen.setCustomValidity(String(error.message || error));
      chosen.reportValidity();
      chosen.addEventListener("change", () => chosen.setCustomValidity(""), { once: true });
    }
  });
});
