//! Checks a proof that a record is in the log, in an auditor's browser: `ledger`'s own code, as WebAssembly.
//!
//! Owns: reading what the page hands over (the verifier key on the first line, then the proof) and telling in lines what
//! holds. A WASI program, so that there is no unsafe boundary: bytes in on standard input, text out on standard output.

#![forbid(unsafe_code)]

use std::io::{Read, Write};

use ledger::{Receipt, Trust, VerifierKey, leaf_hash};

fn main() {
    let mut input = Vec::new();
    let told = match std::io::stdin().read_to_end(&mut input) {
        Ok(_) => verify(&input).unwrap_or_else(|why| format!("wrong\n{why}\n")),
        Err(error) => format!("wrong\n{error}\n"),
    };
    // Nobody is left to tell when standard output is closed.
    let _ = std::io::stdout().write_all(told.as_bytes());
}

/// `right`, then index, size, root, hash of the record and origin, one a line.
fn verify(input: &[u8]) -> Result<String, String> {
    let end = input.iter().position(|byte| *byte == b'\n').ok_or("no key")?;
    let (key, proof) = input.split_at(end);
    let key = std::str::from_utf8(key).map_err(|error| error.to_string())?;
    let key: VerifierKey = key.trim().parse().map_err(|_| "not a verifier key")?;
    let receipt = Receipt::parse(&proof[1..]).map_err(|error| error.to_string())?;
    let proven = receipt.check(&Trust::in_log(key), None).map_err(|error| error.to_string())?;
    let checkpoint = proven.trusted().checkpoint();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (index, size, origin) = (proven.index(), checkpoint.size, &checkpoint.origin);
    let (root, hash) = (hex(&checkpoint.root.0), hex(&leaf_hash(proven.record()).0));
    Ok(format!("right\n{index}\n{size}\n{root}\n{hash}\n{origin}\n"))
}
