//! What readers of a served log get.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use ledger::{Trust, verify};
use tlog::{Collected, RemoteLog};
use tokio::runtime::Handle;

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_served_log_verifies_from_its_address_alone_and_while_it_grows() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let journal = open(folder.path());
    record(&journal, 300).await;
    let log = publish(&journal);
    let url = authority.serve_log(&log, &Arc::new(Collected::new(0))).await;
    let remote = RemoteLog::new(authority.http(), &url, Handle::current()).unwrap();
    let trust = Trust::in_log(log.verifier());
    for more in [0, 1, 211, 256] {
        record(&journal, more).await;
        log.publish_now();
        let mut records = 0;
        let verified = verify(&remote, &trust, &mut |_, _| records += 1).unwrap();
        assert_eq!((verified.checkpoint().size, records), (journal.size(), journal.size()));
    }
    let stranger = Authority::new().http();
    let error = stranger.get(&format!("{url}/checkpoint"), 1000).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_it_is_and_how_long_it_may_be_kept() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let journal = open(folder.path());
    record(&journal, 260).await;
    let log = publish(&journal);
    let url = authority.serve_log(&log, &Arc::new(Collected::new(0))).await;
    let http = authority.http();
    let for_ever = "public, max-age=31536000, immutable";
    let cases = [
        ("/checkpoint", 200, "text/plain; charset=utf-8", "public, max-age=1"),
        ("/tile/0/000", 200, "application/octet-stream", for_ever),
        ("/tile/0/001.p/4", 200, "application/octet-stream", for_ever),
        ("/tile/1/000.p/1", 200, "application/octet-stream", for_ever),
        ("/tile/entries/000", 200, "application/octet-stream", for_ever),
        ("/tile/entries/001.p/4", 200, "application/octet-stream", for_ever),
        ("/tile/0/001.p/5", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/001.p/0", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/002", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/x000/000", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/00/000", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/../../../keys/ring", 404, "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/%2e%2e/%2e%2e/%2e%2e/keys/ring", 404, "text/plain; charset=utf-8", "no-store"),
        ("/checkpoint.tmp", 404, "text/plain; charset=utf-8", "no-store"),
        ("/checkpoint/", 404, "text/plain; charset=utf-8", "no-store"),
        ("", 404, "text/plain; charset=utf-8", "no-store"),
    ];
    for (path, status, media, cache) in cases {
        let answer = http.get(&format!("{url}{path}"), 1 << 20).await.unwrap();
        let header = |name| answer.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(
            (answer.status().as_u16(), header("content-type"), header("cache-control")),
            (status, media, cache),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        let head = http.send(Method::HEAD, &format!("{url}{path}"), Bytes::new(), 10).await.unwrap();
        assert_eq!((head.status().as_u16(), head.body().len()), (status, 0), "{path}");
    }
    let other = http.get(&url.replace("2026", "2025/checkpoint"), 1000).await.unwrap();
    assert_eq!(other.status().as_u16(), 404);
    let posted = http.post(&format!("{url}/checkpoint"), Bytes::from("x"), 1000).await.unwrap();
    assert_eq!((posted.status().as_u16(), posted.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
    let long = http.post(&format!("{url}/checkpoint"), Bytes::from(vec![0; 100_000]), 1000).await;
    assert!(long.is_err() || long.unwrap().status().as_u16() == 413);
    let tile = http.get(&format!("{url}/tile/0/001.p/4"), 1 << 20).await.unwrap();
    assert_eq!(tile.body().len(), 4 * 32);
}
