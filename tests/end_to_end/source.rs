//! What a source organisation brings: its own service in Python, an authority of its own, a certificate for the service and
//! one for the gateway that calls it.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

/// The files of a source organisation.
pub(crate) struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    /// Makes them: `ca.pem`, `service.pem` for `localhost` and `gateway.pem`, keys beside them.
    pub(crate) fn new() -> Papers {
        let papers = Papers { folder: tempfile::tempdir().unwrap() };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Bron");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        std::fs::write(papers.path("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        papers.issue(&issuer, "service", ExtendedKeyUsagePurpose::ServerAuth);
        papers.issue(&issuer, "gateway", ExtendedKeyUsagePurpose::ClientAuth);
        papers
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, issuer: &Issuer<'_, KeyPair>, name: &str, usage: ExtendedKeyUsagePurpose) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name = named(name);
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, issuer).unwrap();
        write(&self.path(&format!("{name}.pem")), &certificate.pem());
        write(&self.path(&format!("{name}.key.pem")), &key.serialize_pem());
    }

    /// A route to the service on this port of the loopback interface, with `more` of its keys.
    pub(crate) fn route(&self, ports: &[u16], more: &str) -> String {
        let places: Vec<String> = ports.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        format!(
            "[[route]]\nupstream = [{}]\nserver_name = \"localhost\"\nauthorities = {:?}\ncertificate = {:?}\nkey = {:?}\n{more}\n",
            places.join(", "),
            self.path("ca.pem"),
            self.path("gateway.pem"),
            self.path("gateway.key.pem"),
        )
    }
}

/// A service in Python that runs: told its certificate, key and clients' authority, it prints its port.
pub(crate) struct Service {
    process: Child,
    pub(crate) port: u16,
}

impl Service {
    pub(crate) fn start(mut python: Command, script: &Path, papers: &Papers) -> Service {
        python.arg(script).args(["service.pem", "service.key.pem", "ca.pem"].map(|name| papers.path(name)));
        let mut process = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        std::io::BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Service { process, port: port.trim().parse().unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // it stops when nobody holds the other end
        let _ = self.process.wait();
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
