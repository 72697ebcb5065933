//! The console in a real browser: Debian's chromium, driven by playwright-core over mutual TLS, with the real binary. The
//! tests themselves stand in `tests/browser/`; screenshots of every page are left in `target/screenshots`.

use std::path::Path;
use std::process::Command;

#[test]
fn the_console_does_in_a_real_browser_what_officers_and_auditors_need() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let folder = root.join("tests/browser");
    assert!(
        folder.join("node_modules").exists(),
        "run tests/setup first: it makes {}/node_modules",
        folder.display()
    );
    let binary = Path::new(env!("CARGO_BIN_EXE_veldwacht"));
    let screenshots = binary.ancestors().nth(2).unwrap().join("screenshots");
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(["pages", "officer", "auditor", "visitors", "verifier"].map(|name| format!("{name}.test.mjs")))
        .current_dir(&folder)
        .env("VELDWACHT", binary)
        .env("SCREENSHOTS", &screenshots)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("fail 0") && !told.contains("pass 0"), "{told}");
}
