// Checks the proof on this page again, here: the log's own verifier as WebAssembly, given the key and the proof that the
// gateway publishes. It is a WASI program; these are the few calls that it makes.
"use strict";

const run = (module, input) => {
  const output = [];
  let memory, read = 0;
  const view = () => new DataView(memory.buffer);
  const vectors = (at, count) => Array.from({ length: count }, (_, i) =>
    [view().getUint32(at + 8 * i, true), view().getUint32(at + 8 * i + 4, true)]);
  const known = {
    fd_read: (fd, at, count, told) => {
      let done = 0;
      for (const [place, length] of vectors(at, count)) {
        const part = input.subarray(read, read + length);
        new Uint8Array(memory.buffer).set(part, place);
        read += part.length; done += part.length;
      }
      view().setUint32(told, done, true);
      return 0;
    },
    fd_write: (fd, at, count, told) => {
      let done = 0;
      for (const [place, length] of vectors(at, count)) {
        if (fd === 1) output.push(new Uint8Array(memory.buffer.slice(place, place + length)));
        done += length;
      }
      view().setUint32(told, done, true);
      return 0;
    },
    environ_sizes_get: (count, size) => { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return 0; },
    environ_get: () => 0,
    args_sizes_get: (count, size) => { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return 0; },
    args_get: () => 0,
    random_get: (at, length) => { crypto.getRandomValues(new Uint8Array(memory.buffer, at, length)); return 0; },
    clock_time_get: (id, precision, at) => { view().setBigUint64(at, 0n, true); return 0; },
    proc_exit: (code) => { throw new Error("exit " + code); },
  };
  // Anything else is not there for it (ENOSYS).
  const calls = {};
  for (const { name } of WebAssembly.Module.imports(module)) calls[name] = known[name] || (() => 52);
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: calls });
  memory = instance.exports.memory;
  try { instance.exports._start(); } catch (error) { if (!/^exit 0/.test(error.message)) throw error; }
  return new TextDecoder().decode(Uint8Array.from(output.flatMap((part) => [...part])));
};

document.querySelectorAll("[data-verify]").forEach(async (place) => {
  const mark = place.querySelector(".tag");
  const tell = (right, text) => { mark.className = "tag " + (right ? "pass" : "stop"); mark.textContent = text; };
  try {
    const [program, key, proof] = await Promise.all([place.dataset.program, place.dataset.key, place.dataset.verify].map(async (from) => {
      const response = await fetch(from, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      return new Uint8Array(await response.arrayBuffer());
    }));
    const line = key.indexOf(10) < 0 ? key : key.subarray(0, key.indexOf(10));
    const input = new Uint8Array(line.length + 1 + proof.length);
    input.set(line, 0); input[line.length] = 10; input.set(proof, line.length + 1);
    const told = run(await WebAssembly.compile(program), input).split("\n");
    place.dataset.told = told.slice(0, 5).join(" ");
    const right = told[0] === "right" && place.closest("aside").textContent.includes(told[3]) && place.closest("aside").textContent.includes(told[4]);
    tell(right, right ? "✓ " + place.dataset.right : place.dataset.wrong + ": " + (told[1] || ""));
  } catch (error) {
    place.dataset.told = "none " + error.message;
    mark.className = "tag mind"; mark.textContent = place.dataset.none;
  }
});
