//! PostgreSQL as a peer of the journal: a server of its own below the benchmark's folder, with group commit as it comes.
//!
//! Owns: starting and stopping it, and reading what `pgbench` says. There is no figure where there is no server binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Transactions a second of a PostgreSQL that is started for this, each inserting as many bytes as a record has.
/// None where there is no server binary.
pub(super) fn rate(dir: &Path, writers: usize, bytes: usize, time: Duration) -> Option<f64> {
    let server = tools()?;
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in(dir).ok()?;
    // PostgreSQL does not run as root: the files are its own user's, when there is one.
    let data = folder.path().join("data");
    let run = |tool: PathBuf, arguments: &[&str]| {
        let mut command = if as_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(tool);
            command
        } else {
            Command::new(tool)
        };
        command.args(arguments).stderr(Stdio::null()).stdin(Stdio::null()).current_dir("/");
        command.output().ok().filter(|output| output.status.success())
    };
    if as_root() {
        Command::new("chown").args(["postgres", folder.path().to_str()?]).status().ok()?;
        Command::new("chmod").args(["a+x", dir.to_str()?]).status().ok()?;
    }
    let (data, socket) = (data.to_str()?, folder.path().to_str()?);
    run(server.join("initdb"), &["-D", data, "-A", "trust", "-U", "bench", "--no-sync"])?;
    let connections = writers.min(64); // a process each; more than these only wait
    let settings = format!("-c listen_addresses= -c unix_socket_directories={socket} -c max_connections=100");
    let log = folder.path().join("log");
    let control = server.join("pg_ctl");
    run(control.clone(), &["-D", data, "-l", log.to_str()?, "-o", &settings, "-w", "start"])?;
    let script = folder.path().join("insert.sql");
    let insert = format!("insert into record (body) values (repeat('x', {bytes})::bytea);\n");
    let rate = std::fs::write(&script, insert).ok().and_then(|()| {
        let table = "create table record (id bigserial primary key, body bytea)";
        run(server.join("psql"), &["-h", socket, "-U", "bench", "-d", "postgres", "-c", table])?;
        let (clients, seconds) = (connections.to_string(), time.as_secs().max(1).to_string());
        let flags =
            ["-h", socket, "-U", "bench", "-n", "-c", &clients, "-j", "2", "-T", &seconds, "-M", "prepared"];
        let flags: Vec<&str> = flags.into_iter().chain(["-f", script.to_str()?, "postgres"]).collect();
        tps(&run(server.join("pgbench"), &flags)?.stdout)
    });
    run(control, &["-D", data, "-m", "immediate", "stop"]);
    rate
}

fn tps(output: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(output).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

fn as_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// The folder with PostgreSQL's programs: where Debian puts them, newest version first.
fn tools() -> Option<PathBuf> {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.file_name()));
    let folders = versions.into_iter().map(|version| version.path().join("bin"));
    folders.into_iter().find(|bin| bin.join("postgres").exists() && bin.join("pgbench").exists())
}
