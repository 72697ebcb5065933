//! The proxies beside us: nginx, HAProxy and Envoy, each on one core, with mutual TLS 1.3 on both legs and nothing else to
//! do. They neither filter nor record.
//!
//! Owns: their configurations, starting and ending them. One that is not installed is left out.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bench::ask::cores::PROXY;
use crate::failure::{Doing, Failure, Outcome};

/// A configuration and the arguments before its file: for a folder with papers, the proxy's port, the source's.
type Configure = fn(&Path, u16, u16) -> (String, Vec<String>);

/// A proxy that runs.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) port: u16,
    process: Child,
}

impl Peer {
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended already
        let _ = self.process.wait();
    }
}

/// Starts every peer that is installed, in a folder with the papers of `World`; and who is not.
pub(super) async fn start(folder: &Path, source: u16) -> Outcome<(Vec<Peer>, Vec<&'static str>)> {
    let (mut running, mut missing) = (Vec::new(), Vec::new());
    let kinds: [(&str, Configure); 3] = [("nginx", nginx), ("haproxy", haproxy), ("envoy", envoy)];
    for (name, configure) in kinds {
        let Some(program) = find(name) else {
            missing.push(name);
            continue;
        };
        let port = free_port()?;
        let (text, mut arguments) = configure(folder, port, source);
        let file = folder.join(format!("{name}.yaml")); // Envoy looks at the ending
        std::fs::write(&file, text).unreachable(file.display())?;
        arguments.push(file.display().to_string());
        let log = folder.join(format!("{name}.log"));
        let said = std::fs::File::create(&log).unreachable(log.display())?;
        let process = Command::new("taskset")
            .args(["-c", &PROXY.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(said.try_clone().unreachable(log.display())?)
            .stderr(said)
            .spawn()
            .unreachable("taskset")?;
        let mut peer = Peer { name, port, process };
        listening(&mut peer, &log).await?;
        running.push(peer);
    }
    Ok((running, missing))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "tests/.venv/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unreachable("a port")?;
    Ok(listener.local_addr().unreachable("a port")?.port())
}

async fn listening(peer: &mut Peer, log: &Path) -> Outcome {
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", peer.port)).is_ok() {
            return Ok(());
        }
        if peer.process.try_wait().unreachable(peer.name)?.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    Err(Failure::Reach(format!("{} does not start: {}", peer.name, said.trim())))
}

fn nginx(folder: &Path, port: u16, source: u16) -> (String, Vec<String>) {
    let f = folder.display();
    let text = format!(
        r#"daemon off; master_process off; worker_processes 1; pid {f}/nginx.pid; error_log {f}/nginx.err crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; tcp_nodelay on;
  client_body_temp_path {f}/nginx-body; proxy_temp_path {f}/nginx-proxy; fastcgi_temp_path {f}/nginx-fastcgi;
  uwsgi_temp_path {f}/nginx-uwsgi; scgi_temp_path {f}/nginx-scgi;
  upstream source {{ server 127.0.0.1:{source}; keepalive 256; keepalive_requests 1000000000; keepalive_time 24h; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    keepalive_requests 1000000000; keepalive_time 24h; http2_max_concurrent_streams 128; client_max_body_size 64m;
    ssl_certificate {f}/pki/gateway.pem; ssl_certificate_key {f}/pki/gateway.key.pem; ssl_protocols TLSv1.3;
    ssl_client_certificate {f}/pki/authorities.pem; ssl_verify_client on; ssl_session_tickets off; ssl_session_cache off;
    location / {{
      grpc_pass grpcs://source;
      grpc_ssl_certificate {f}/to-source.pem; grpc_ssl_certificate_key {f}/to-source.key.pem; grpc_ssl_protocols TLSv1.3;
      grpc_ssl_trusted_certificate {f}/source-ca.pem; grpc_ssl_verify on; grpc_ssl_name localhost; grpc_ssl_server_name on;
    }}
  }}
}}
"#
    );
    (text, vec!["-p".into(), f.to_string(), "-e".into(), format!("{f}/nginx.err"), "-c".into()])
}

fn haproxy(folder: &Path, port: u16, source: u16) -> (String, Vec<String>) {
    let f = folder.display();
    for (both, name) in [("pki/gateway", "haproxy-front.pem"), ("to-source", "haproxy-back.pem")] {
        let read = |ending: &str| {
            std::fs::read_to_string(folder.join(format!("{both}{ending}"))).unwrap_or_default()
        };
        // What is missing haproxy says itself.
        let _ = std::fs::write(folder.join(name), read(".pem") + &read(".key.pem"));
    }
    let text = format!(
        r#"global
  nbthread 1
  maxconn 4096
  tune.ssl.cachesize 0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend callers
  bind 127.0.0.1:{port} ssl crt {f}/haproxy-front.pem ca-file {f}/pki/authorities.pem verify required alpn h2 ssl-min-ver TLSv1.3 no-tls-tickets
  default_backend source
backend source
  http-reuse always
  server one 127.0.0.1:{source} ssl crt {f}/haproxy-back.pem ca-file {f}/source-ca.pem verify required verifyhost localhost sni str(localhost) alpn h2 ssl-min-ver TLSv1.3
"#
    );
    (text, vec!["-db".into(), "-f".into()])
}

fn envoy(folder: &Path, port: u16, source: u16) -> (String, Vec<String>) {
    let f = folder.display();
    let both = |certificate: &str| {
        format!(
            r#"{{ "certificate_chain": {{ "filename": "{f}/{certificate}.pem" }}, "private_key": {{ "filename": "{f}/{certificate}.key.pem" }} }}"#
        )
    };
    let tls13 = r#""tls_params": { "tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3" }"#;
    let (front, back) = (both("pki/gateway"), both("to-source"));
    let text = format!(
        r#"{{ "static_resources": {{
  "listeners": [{{ "name": "callers", "address": {{ "socket_address": {{ "address": "127.0.0.1", "port_value": {port} }} }},
    "filter_chains": [{{
      "transport_socket": {{ "name": "envoy.transport_sockets.tls", "typed_config": {{
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": true, "disable_stateless_session_resumption": true,
        "common_tls_context": {{ {tls13}, "alpn_protocols": ["h2"], "tls_certificates": [{front}],
          "validation_context": {{ "trusted_ca": {{ "filename": "{f}/pki/authorities.pem" }} }} }} }} }},
      "filters": [{{ "name": "envoy.filters.network.http_connection_manager", "typed_config": {{
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "callers", "codec_type": "HTTP2", "generate_request_id": false,
        "route_config": {{ "virtual_hosts": [{{ "name": "all", "domains": ["*"],
          "routes": [{{ "match": {{ "prefix": "/" }}, "route": {{ "cluster": "source" }} }}] }}] }},
        "http_filters": [{{ "name": "envoy.filters.http.router", "typed_config": {{
          "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }} }}] }} }}] }}] }}],
  "clusters": [{{ "name": "source", "connect_timeout": "5s", "type": "STATIC",
    "load_assignment": {{ "cluster_name": "source", "endpoints": [{{ "lb_endpoints": [{{ "endpoint": {{ "address": {{
      "socket_address": {{ "address": "127.0.0.1", "port_value": {source} }} }} }} }}] }}] }},
    "typed_extension_protocol_options": {{ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {{
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      "explicit_http_config": {{ "http2_protocol_options": {{}} }} }} }},
    "transport_socket": {{ "name": "envoy.transport_sockets.tls", "typed_config": {{
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "sni": "localhost",
      "common_tls_context": {{ {tls13}, "alpn_protocols": ["h2"], "tls_certificates": [{back}],
        "validation_context": {{ "trusted_ca": {{ "filename": "{f}/source-ca.pem" }} }} }} }} }} }}] }} }}
"#
    );
    let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"];
    (text, arguments.map(str::to_owned).to_vec())
}
