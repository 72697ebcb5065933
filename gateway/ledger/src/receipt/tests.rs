use proptest::prelude::*;

use super::*;
use crate::verify::tests::{publish, records, trust};

#[test]
fn a_receipt_proves_its_record_alone_and_no_other() {
    let records = records(700);
    let files = publish(&records);
    for index in [0, 255, 256, 300, 699] {
        let text = Receipt::make(&files, index).unwrap().to_string();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
        let receipt = Receipt::parse(text.as_bytes()).unwrap();
        assert_eq!(receipt.to_string(), text);
        let other = receipt.clone().check(&trust(), Some(b"another record".to_vec()));
        assert!(matches!(other, Err(ReceiptError::Proof(ProofError::WrongRoot))));
        let proven = receipt.check(&trust(), None).unwrap();
        assert_eq!(proven.record(), records[index as usize]);
        assert_eq!((proven.index(), proven.trusted().checkpoint().size), (index, 700));
    }
}

#[test]
fn a_receipt_without_its_record_wants_it_beside_it() {
    let records = records(10);
    let receipt = Receipt { record: None, ..Receipt::make(&publish(&records), 4).unwrap() };
    assert!(!receipt.to_string().contains("extra"));
    assert_eq!(receipt.clone().check(&trust(), None).unwrap_err(), ReceiptError::NoRecord);
    assert!(receipt.check(&trust(), Some(records[4].clone())).is_ok());
}

#[test]
fn no_receipt_is_made_from_a_damaged_log_or_for_a_record_that_is_not_there() {
    let mut files = publish(&records(300));
    let past = Receipt::make(&files, 300).unwrap_err();
    assert!(past.to_string().contains("leaf 300 is not in a log of 300 records"));
    files.get_mut("tile/entries/000").unwrap()[2] ^= 1;
    assert!(matches!(Receipt::make(&files, 0), Err(ReceiptError::Proof(ProofError::WrongRoot))));
    files.remove("tile/0/000");
    assert!(Receipt::make(&files, 0).unwrap_err().to_string().starts_with("tile/0/000: it is missing"));
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_receipt_makes_it_worthless(at in any::<prop::sample::Index>(), byte: u8) {
        let text = Receipt::make(&publish(&records(20)), 7).unwrap().to_string();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let outcome = Receipt::parse(&bytes).and_then(|receipt| receipt.check(&trust(), None));
        prop_assert_eq!(outcome.is_ok(), bytes == text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Receipt::parse(&bytes);
    }
}
