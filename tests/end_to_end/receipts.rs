//! A receipt of a busy log: it carries the cosignature of the witness, comes within two seconds, and holds before tools that are not
//! ours, which read the same log over HTTPS.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::exchange_service_client::ExchangeServiceClient;

use crate::harness::{GEMEENTE, RIB, Stage, root, run};
use crate::member::{Member, bytes_of, letter, uuid};
use crate::python::python;
use crate::witness::watched;

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_carries_its_cosignature_also_when_the_log_never_rests() {
    let mut stage = Stage::start();
    let (witness, url, trust) = watched(&mut stage);
    let member = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let bytes = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let document = letter("werkfit.v1.Aanmelding", bytes, &[(RIB, "coach")]);
    let fresh = || wire::SendRequest { exchange_id: uuid(), ..document.clone() };

    // Somebody else sends all the time, so that the newest checkpoint is never cosigned yet.
    let busy = Arc::new(AtomicBool::new(true));
    let others = {
        let (busy, member, document) = (Arc::clone(&busy), member.clone(), document.clone());
        tokio::spawn(async move {
            while busy.load(Ordering::Relaxed) {
                let request = wire::SendRequest { exchange_id: uuid(), ..document.clone() };
                member.send("aanmelding", request).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
    };
    let key = stage.path("log.vkey");
    let (mut took, mut receipts) = (Vec::new(), Vec::new());
    for number in 0..10 {
        let sent = member.send("aanmelding", fresh()).await.unwrap();
        let begun = Instant::now();
        let request = wire::GetReceiptRequest { exchange_id: sent.exchange_id };
        let request = Member::request(request, &member.token("aanmelding", |_| ()));
        let answer = ExchangeServiceClient::new(member.channel()).get_receipt(request).await.unwrap();
        took.push(begun.elapsed());
        let file = stage.path(&format!("{number}.tlog-proof"));
        std::fs::write(&file, answer.into_inner().proof).unwrap();
        let checked = stage.run(&[
            "log",
            "check-proof",
            file.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--policy",
            trust.to_str().unwrap(),
        ]);
        checked.done(); // with the quorum: a receipt without the cosignature is refused
        receipts.push(file);
    }
    busy.store(false, Ordering::Relaxed);
    others.await.unwrap();
    took.sort();
    println!("receipts within {:?}, the median {:?}", took[9], took[5]);
    assert!(took[5] < Duration::from_secs(2), "{took:?}");

    // Tools of another maker: over HTTPS with the witness and the receipts, and from the files, with damaged copies.
    let ca = stage.path("pki/gateway-ca.pem");
    let verifier = |log: &str| {
        let mut command = Command::new(python());
        command.env("SSL_CERT_FILE", &ca);
        command.arg(root().join("tests/verifiers/aics_tlog.py")).arg(log).arg(&key);
        command
    };
    let mut served = verifier(&url);
    served.args(["--witness", &witness.key]);
    served.args(receipts.iter().flat_map(|receipt| [OsStr::new("--receipt"), receipt.as_os_str()]));
    let said = run(&mut served).done();
    assert!(said.contains("verified veldwacht.example/test") && said.contains("10 receipts"), "{said}");
    stage.stop();
    let said = run(&mut verifier(stage.path("data/log").to_str().unwrap())).done();
    assert!(!said.contains("0 damaged copies refused"), "{said}");

    // Without its witness a receipt comes all the same; who wants the quorum does not take it.
    witness.kill();
    stage.serve();
    let member = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let sent = member.send("aanmelding", fresh()).await.unwrap();
    let request = wire::GetReceiptRequest { exchange_id: sent.exchange_id };
    let request = Member::request(request, &member.token("aanmelding", |_| ()));
    let answer = ExchangeServiceClient::new(member.channel()).get_receipt(request).await.unwrap();
    let file = stage.path("alone.tlog-proof");
    std::fs::write(&file, answer.into_inner().proof).unwrap();
    let check = |more: &[&str]| {
        let arguments = ["log", "check-proof", file.to_str().unwrap(), "--key", key.to_str().unwrap()];
        stage.run(&[arguments.as_slice(), more].concat())
    };
    check(&[]).done();
    let refused = check(&["--policy", trust.to_str().unwrap()]);
    assert_eq!(refused.status, 1, "{}", refused.said());
}
