use super::*;

const EXAMPLE: &str = include_str!("../../veldwacht.example.toml");

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Config::parse(text, Path::new("/etc/veldwacht"), environment)
}

#[test]
fn the_commented_example_loads() {
    let config = parse(EXAMPLE, &[]).unwrap();
    assert_eq!(config.tls.key, Path::new("/etc/veldwacht/gateway.key.pem"));
    assert!(!config.test_mode);
}

#[test]
fn every_key_of_the_door_stands_in_the_example_with_what_it_is_when_left_out() {
    let example: toml::Table = EXAMPLE.parse().unwrap();
    let written = |table: &str| example[table].as_table().unwrap().clone();
    assert_eq!(written("assertions"), toml::Table::try_from(door::Assertions::default()).unwrap());
    assert_eq!(written("limits"), toml::Table::try_from(door::Limits::default()).unwrap());
    assert_eq!(written("http2"), toml::Table::try_from(door::Http2::default()).unwrap());
}

#[test]
fn a_limit_that_makes_no_sense_is_a_mistake_that_is_named() {
    let wrong = [
        ("VELDWACHT_LIMITS__CALLS", "0"),
        ("VELDWACHT_LIMITS__HANDSHAKE_SECONDS", "0"),
        ("VELDWACHT_HTTP2__STREAM_WINDOW", "1000"),
        ("VELDWACHT_HTTP2__HEADER_BYTES", "100"),
        ("VELDWACHT_ASSERTIONS__LIFETIME_SECONDS", "301"),
        ("VELDWACHT_ASSERTIONS__CLOCK_SKEW_SECONDS", "-1"),
        ("VELDWACHT_TLS__REVOCATION_GRACE_SECONDS", "604801"),
    ];
    for (variable, value) in wrong {
        let error = parse(EXAMPLE, &[(variable, value)]).unwrap_err();
        let key = variable.trim_start_matches("VELDWACHT_").to_lowercase().replace("__", ".");
        assert!(error.starts_with(&key), "{variable}: {error}");
    }
}

#[test]
fn what_the_file_says_of_the_door_is_what_the_door_is_opened_with() {
    let config = parse(
        EXAMPLE,
        &[
            ("VELDWACHT_ASSERTIONS__USE", "connection"),
            ("VELDWACHT_LIMITS__BYTES_PER_SECOND", "1000"),
            ("VELDWACHT_LIMITS__CONNECTIONS_PER_SYSTEM", "3"),
            ("VELDWACHT_HTTP2__KEEPALIVE_SECONDS", "7"),
            ("VELDWACHT_HTTP2__COMPRESSION", "true"),
        ],
    );
    let config = config.unwrap();
    let limits = config.limits.of_door();
    assert_eq!((limits.share.bytes_per_second, limits.connections_per_system), (1000, 3));
    assert_eq!(config.assertions.of("x").used, exchange::door::AssertionUse::Connection);
    let http2 = config.http2.of_door();
    assert!(http2.compression && http2.keepalive_interval.as_secs() == 7);
}

#[test]
fn a_secret_may_be_a_credential_of_systemd() {
    let text = EXAMPLE.replace("\"master.secret\"", "\"credential:master\"");
    let given = [("CREDENTIALS_DIRECTORY", "/run/credentials/veldwacht.service")];
    let config = parse(&text, &given).unwrap();
    assert_eq!(config.secrets.master, Path::new("/run/credentials/veldwacht.service/master"));
    assert_eq!(config.log.key, Path::new("/etc/veldwacht/log.key.pem"), "a path stays a path");
    let error = parse(&text, &[]).unwrap_err();
    assert!(error.contains("LoadCredential=master"), "{error}");
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest() {
    let error = parse(&format!("lisen = \"[::]:1\"\n{EXAMPLE}"), &[]).unwrap_err();
    assert!(error.contains("`lisen`") && error.contains("`listen`"), "{error}");
}

#[test]
fn the_environment_overrides_the_file() {
    let config =
        parse(EXAMPLE, &[("VELDWACHT_LISTEN", "127.0.0.1:1"), ("VELDWACHT_LOG__PUBLISH_EVERY_MS", "250")]);
    let config = config.unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.log.publish_every_ms, 250);
    assert!(
        parse(EXAMPLE, &[("VELDWACHT_LISTENN", "x")]).is_err(),
        "an override of nothing is a mistake too"
    );
}
