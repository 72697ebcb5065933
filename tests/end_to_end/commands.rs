//! The command line: every command shows an example, exit statuses mean what they say, and the README tells no lies.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::{root, run, veldwacht};

/// Every command below this one, itself included, as the words that call it.
fn commands(words: &[String]) -> Vec<Vec<String>> {
    let help = run(veldwacht().args(words).arg("--help")).done();
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut found = vec![words.to_vec()];
    for line in listed {
        let name = line.split_whitespace().next().unwrap_or_default();
        // A continued description is indented further than a name.
        if line.starts_with("  ") && !line.starts_with("   ") && name != "help" {
            found.extend(commands(&[words, &[name.to_owned()]].concat()));
        }
    }
    found
}

#[test]
fn every_command_shows_an_example() {
    let all = commands(&[]);
    let named: BTreeSet<String> = all.iter().map(|words| words.join(" ")).collect();
    for needed in [
        "demo",
        "serve",
        "pki init",
        "assert",
        "send",
        "collect",
        "filter",
        "screen",
        "policy check",
        "log verify",
    ] {
        assert!(named.contains(needed), "{needed} is not there: {named:?}");
    }
    for words in all.iter().filter(|words| !words.is_empty()) {
        let help = run(veldwacht().args(words).arg("--help")).done();
        let example = format!("veldwacht {}", words.join(" "));
        let shown = help.split_once("\nExample").is_some_and(|(_, text)| text.contains(&example));
        assert!(shown, "`{example} --help` shows no example of itself");
    }
}

#[test]
fn exit_statuses_mean_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean.txt");
    let found = folder.path().join("found.txt");
    std::fs::write(&clean, "Kan vier uur per dag werken.").unwrap();
    std::fs::write(&found, "Zij heeft een depressie.").unwrap();
    let policies = root().join("policies");
    assert_eq!(run(veldwacht().arg("screen").arg(&clean)).status, 0);
    assert_eq!(run(veldwacht().arg("screen").arg(&found)).status, 1);
    assert_eq!(run(veldwacht().arg("screen").arg(folder.path().join("absent"))).status, 2);
    assert_eq!(run(veldwacht().args(["screen", "--colour"])).status, 2);
    assert_eq!(run(veldwacht().arg("no-such-command")).status, 2);
    assert_eq!(run(veldwacht().args(["policy", "check", "--quick"]).arg(&policies)).status, 0);
    // A copy on an officer's desk needs nothing beside it.
    let desk = folder.path().join("desk");
    run(Command::new("cp").arg("-r").args([&policies, &desk])).done();
    assert_eq!(run(veldwacht().args(["policy", "diff"]).args([&policies, &desk])).status, 0);
    assert_eq!(run(veldwacht().args(["policy", "check"]).arg(folder.path())).status, 2);
    assert_eq!(run(veldwacht().args(["pki", "init", "--dir"]).arg(folder.path().join("pki"))).status, 0);
    let certificate = folder.path().join("pki/rib/coach.pem");
    // Nobody listens on the port of `discard`.
    let nobody = run(veldwacht().args(["collect", "--gateway", "localhost:9", "--as"]).arg(certificate));
    assert_eq!(nobody.status, 3, "{}", nobody.said());
    let taken = run(veldwacht().args(["pki", "init", "--dir"]).arg(folder.path().join("pki")));
    assert_eq!(taken.status, 2, "{}", taken.said());
}

/// Lines of the README's code blocks that call the binary, with the programme's name taken off.
fn lines_of_the_readme() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```").skip(1).step_by(2);
    let lines =
        blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>());
    let called = lines.filter_map(|line| {
        let line = line.trim().trim_start_matches("$ ");
        let line =
            line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("veldwacht "))?;
        Some(line.split(" #").next().unwrap_or_default().trim().to_owned())
    });
    called.collect()
}

/// Every command line of the README works, in order, in a folder with the same names as the root.
#[test]
fn every_command_line_in_the_readme_works() {
    let mut lines = lines_of_the_readme();
    assert!(lines.iter().any(|line| line.starts_with("demo")), "the README shows the demo");
    let folder = tempfile::tempdir().unwrap();
    for name in ["policies", "proto", "tests"] {
        std::os::unix::fs::symlink(root().join(name), folder.path().join(name)).unwrap();
    }
    // What would never end.
    lines.retain(|line| {
        !line.starts_with("serve ") && !line.contains("--serve") && !line.contains("--follow")
    });
    for line in lines {
        let mut command = veldwacht();
        let ran =
            run(command.args(line.split_whitespace()).current_dir(&folder).env("TMPDIR", folder.path()));
        // 1 is an answer too: `screen` finds something.
        assert!(matches!(ran.status, 0 | 1), "`veldwacht {line}` ended with {}: {}", ran.status, ran.said());
    }
}
