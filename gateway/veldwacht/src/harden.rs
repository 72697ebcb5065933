//! What the gateway's process gives up before it opens anything: what it never needs cannot be taken from it.
//!
//! Owns: no core dumps and no debugger of the same user (they would hold keys and documents), no new privileges, and no
//! capability but binding to a low port. Must run before there is a second thread: Linux keeps these by thread, and a new
//! one inherits them. The systemd unit that is shipped (`veldwacht.service`) takes away the rest: files, devices, calls.

use rustix::io;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities,
    set_no_new_privs,
};

/// Gives it up, for this process and everything that it starts.
///
/// # Errors
/// When the kernel does not let go of something: then nothing should be served.
pub(crate) fn harden() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    clear_ambient_capability_set()?;
    // Whoever started us may have taken these away already, together with the calls that do so.
    if getrlimit(Resource::Core).maximum != Some(0) {
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    let has = capabilities(None)?;
    if has.permitted.is_empty() && has.inheritable.is_empty() {
        return Ok(());
    }
    let needed = has.permitted & CapabilitySet::NET_BIND_SERVICE;
    let sets = CapabilitySets { effective: needed, permitted: needed, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)
}

#[cfg(test)]
mod tests {
    /// As systemd reads it: keys and their values, in order.
    fn unit() -> Vec<(&'static str, &'static str)> {
        let lines = include_str!("../veldwacht.service").lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once('=')).collect()
    }

    #[test]
    fn the_shipped_unit_starts_this_gateway_with_credentials_that_its_example_names() {
        use clap::Parser as _;
        let unit = unit();
        let start = unit.iter().find(|(key, _)| *key == "ExecStart").unwrap().1;
        let cli = crate::cli::Cli::try_parse_from(start.split(' ')).unwrap();
        assert!(matches!(cli.command, crate::cli::Command::Serve(_)));
        let credentials: Vec<&str> =
            unit.iter().filter(|(key, _)| *key == "LoadCredential").map(|(_, value)| *value).collect();
        assert_eq!(credentials.len(), 4);
        for credential in credentials {
            let (name, path) = credential.split_once(':').unwrap();
            let named = format!("credential:{name}\"");
            assert!(include_str!("../veldwacht.service").contains(&named), "{named}");
            let file = path.trim_start_matches("/etc/veldwacht/");
            assert!(include_str!("../veldwacht.example.toml").contains(&format!("\"{file}\"")), "{file}");
        }
    }
}
