//! One core for the proxy and one for the load: pinning threads, and what a process or a core's threads used.
//!
//! Owns: reading `/proc`. Time is that of the scheduler (`schedstat`), in nanoseconds.

use std::path::Path;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Where the proxy runs, ours or a peer.
pub(super) const PROXY: usize = 0;
/// Where the source and its callers run.
pub(super) const LOAD: usize = 1;

/// Lets the calling thread, and those that it starts, run on one core only.
pub(super) fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    // A machine that does not allow it has noisier figures, no wrong ones.
    let _ = sched_setaffinity(None, &set);
}

/// CPU time of all threads of another process, in microseconds.
pub(super) fn of_process(id: u32) -> f64 {
    of_tasks(Path::new(&format!("/proc/{id}/task")), |_| true)
}

/// CPU time of this process's threads that are pinned to the proxy's core, in microseconds.
pub(super) fn of_own_proxy() -> f64 {
    of_tasks(Path::new("/proc/self/task"), |task| {
        let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        allowed.is_some_and(|list| list.trim() == PROXY.to_string())
    })
}

fn of_tasks(tasks: &Path, counts: impl Fn(&Path) -> bool) -> f64 {
    let entries = std::fs::read_dir(tasks).into_iter().flatten().flatten();
    let tasks = entries.map(|entry| entry.path()).filter(|task| counts(task));
    let nanoseconds = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    nanoseconds.sum::<u64>() as f64 / 1e3
}
