// The verifier that travels in the console, as a program of its own: what it says of proofs, right and wrong; and, where
// its compiler is at hand, that what is built from the sources says the same.
import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const at = (path) => fileURLToPath(new URL(`../../gateway/${path}`, import.meta.url));
const key = readFileSync(at("ledger/testdata/log-v1.vkey"));
const proof = readFileSync(at("ledger/testdata/log-v1-record-257.tlog-proof"));

async function verify(program, bytes) {
  const folder = mkdtempSync(join(tmpdir(), "verifier-"));
  const line = key.includes(10) ? key.subarray(0, key.indexOf(10)) : key;
  writeFileSync(join(folder, "in"), Buffer.concat([line, Buffer.from("\n"), bytes]));
  const [stdin, stdout] = [openSync(join(folder, "in"), "r"), openSync(join(folder, "out"), "w")];
  const wasi = new WASI({ version: "preview1", stdin, stdout, returnOnExit: true });
  const { instance } = await WebAssembly.instantiate(readFileSync(program), wasi.getImportObject());
  wasi.start(instance);
  return readFileSync(join(folder, "out"), "utf8").split("\n");
}

async function judges(program) {
  const told = await verify(program, proof);
  assert.deepEqual(told.slice(0, 2), ["right", "257"]);
  assert.match(told[3], /^[0-9a-f]{64}$/);
  // Every byte counts: of the record, the place, the hashes, the checkpoint and the log's own signature. What witnesses
  // signed below it is not asked for here.
  const own = proof.indexOf("\n— ");
  const end = proof.indexOf("\n", own + 1);
  for (let place = 25; place < end; place += 37) {
    const other = Buffer.from(proof);
    other[place] ^= 1;
    const [word] = await verify(program, other);
    assert.equal(word, "wrong", `byte ${place} of the proof does not count`);
  }
  for (const nonsense of ["", "\n", "c2sp.org/tlog-proof@v1\n", "x".repeat(100_000)]) {
    assert.equal((await verify(program, Buffer.from(nonsense)))[0], "wrong");
  }
}

test("the verifier in the console says right to a true proof, and wrong when any part of it is another", async () => {
  await judges(at("console/assets/verifier.wasm"));
});

test("built anew, the verifier judges alike", async (t) => {
  const targets = spawnSync("rustup", ["target", "list", "--installed"], { encoding: "utf8" }).stdout || "";
  if (!targets.includes("wasm32-wasip1") || spawnSync("clang", ["--version"]).status !== 0) {
    return t.skip("needs clang and rustup's target wasm32-wasip1: see gateway/console/verifier/build");
  }
  const folder = mkdtempSync(join(tmpdir(), "verifier-build-"));
  const args = ["build", "--release", "--locked", "--target", "wasm32-wasip1", "--target-dir", folder];
  execFileSync("cargo", args, { cwd: at("console/verifier"), stdio: "ignore" });
  const built = join(folder, "wasm32-wasip1/release/verifier.wasm");
  assert.ok(existsSync(built));
  await judges(built);
});
