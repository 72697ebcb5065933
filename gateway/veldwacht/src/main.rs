//! The binary: command line, configuration, wiring.
//!
//! Owns: choosing the command and the exit status. Reading order: `cli` (names), `commands/` (one file a command),
//! `gateway` (from configuration to a running gateway), `demo` (all of it at work).

mod cli;
mod commands;
mod failure;

mod bundle;
mod config;
mod gateway;
mod harden;
mod public_log;
mod retention;
mod trust;

mod assert;
mod client;
mod document;
mod operators;
mod pki;

mod bench;
mod demo;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::{Doing, Failure, Outcome};

/// One allocator for us and for the peers that the benchmarks measure.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Serve(_))
        && let Err(error) = harden::harden()
    {
        complain(&Failure::Reach(format!("the kernel does not let go of privileges: {error}")));
        return ExitCode::from(3);
    }
    match runtime().build() {
        Ok(runtime) => runtime.block_on(started(cli)),
        Err(error) => {
            complain(&Failure::Reach(format!("no threads can be started: {error}")));
            ExitCode::from(3)
        }
    }
}

/// Threads that look often whether a socket or the journal has something for them: with the usual numbers whoever has one
/// call waits for dozens of turns of others.
fn runtime() -> tokio::runtime::Builder {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.event_interval(13).global_queue_interval(3).enable_all();
    builder
}

async fn started(cli: Cli) -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("VELDWACHT_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let mut out = BufWriter::new(std::io::stdout());
    let outcome = run(&cli.command, &mut out).await;
    let outcome = outcome.and(out.flush().unreachable("standard output"));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            failure.code()
        }
    }
}

async fn run(command: &Command, out: &mut impl Write) -> Outcome {
    match command {
        Command::Demo(demo) => demo::run(demo, out).await,
        Command::Serve(serve) => commands::serve::run(serve, out).await,
        Command::Pki(pki) => commands::pki::run(pki, out),
        Command::Assert(assert) => commands::pki::assert(assert, out),
        Command::Send(send) => commands::send::run(send, out).await,
        Command::Ask(ask) => commands::ask::run(ask, out).await,
        Command::Collect(collect) => commands::collect::run(collect, out).await,
        Command::Traject(traject) => commands::traject::run(traject, out).await,
        Command::Filter(filter) => commands::filter::run(filter, out),
        Command::Screen(screen) => commands::screen::run(screen, out).await,
        Command::Policy(policy) => commands::policy::run(policy, out).await,
        Command::Held(held) => commands::held::run(held, out).await,
        Command::Log(log) => commands::log::run(log, out).await,
        Command::Erase(erase) => commands::erase::run(erase, out).await,
        Command::Backup(backup) => commands::backup::backup(backup, out),
        Command::Restore(restore) => commands::backup::restore(restore, out),
        Command::Bench(bench) => bench::run(bench, out).await,
    }
}

/// Says what went wrong. A `no` has been said already.
#[expect(clippy::print_stderr, reason = "this is where a command line tool complains")]
fn complain(failure: &Failure) {
    if !matches!(failure, Failure::No) {
        eprintln!("veldwacht: {failure}");
    }
}
