use model::{Form, Reason};

use super::*;
use crate::leaf::Carried;
use crate::leaf::tests::{exchange, party, sent};

fn about(
    leaf: &Leaf,
    kind: fn(Carried) -> Event,
    receiver: usize,
    minutes: i64,
    change: fn(&mut Delivery),
) -> Leaf {
    let mut carried = leaf.event.carried().unwrap().clone();
    let mut delivery = carried.to[receiver].clone();
    change(&mut delivery);
    carried.to = vec![delivery];
    Leaf { time: leaf.time.plus_seconds(60 * minutes), event: kind(carried), ..leaf.clone() }
}

fn put_together(leaves: &[Leaf]) -> Receivers {
    receivers((0..).zip(leaves), sent().exchange)
}

#[test]
fn who_has_it_is_told_from_who_was_meant_to_get_it() {
    let stored = put_together(&[sent()]);
    assert_eq!(stored.receivers.len(), 2);
    assert_eq!(stored.reached(None).count(), 0, "nothing has left yet");
    assert!(stored.receivers[0].waiting && !stored.receivers[1].waiting);
    let collected = put_together(&[
        sent(),
        about(&sent(), Event::HandedOut, 0, 5, |_| ()),
        about(&sent(), Event::Acknowledged, 0, 6, |_| ()),
    ]);
    let coach = collected.reached(None).next().unwrap();
    assert_eq!((coach.to.role.as_str(), coach.records.as_slice()), ("coach", [0, 1, 2].as_slice()));
    assert_eq!(coach.handed_out, Some(sent().time.plus_seconds(300)));
    assert_eq!(coach.acknowledged, Some(sent().time.plus_seconds(360)));
    assert_eq!(collected.reached(Some(DataClass::FunctioneelUren)).count(), 1);
    assert_eq!(collected.reached(Some(DataClass::MedischDiagnose)).count(), 0);
}

#[test]
fn what_left_is_what_passed_the_second_filter() {
    let narrower = about(&sent(), Event::HandedOut, 0, 5, |delivery| delivery.passed[0].form = Form::JaNee);
    let found = put_together(&[sent(), narrower]);
    assert_eq!(found.receivers[0].passed[0].form, Form::JaNee);
}

#[test]
fn a_withdrawn_consent_leaves_the_receiver_without_and_an_earlier_collection_stays() {
    let refuse = |delivery: &mut Delivery| {
        delivery.decision = Decision::Refused;
        delivery.reason = Some(Reason::ConsentWithdrawn);
    };
    let refused = about(&sent(), Event::HandedOut, 0, 5, refuse);
    let found = put_together(&[sent(), refused.clone()]);
    assert_eq!((found.receivers[0].reached, found.receivers[0].decision), (false, Decision::Refused));
    let had = about(&sent(), Event::HandedOut, 0, 2, |_| ());
    let found = put_together(&[sent(), had, refused]);
    assert_eq!((found.receivers[0].reached, found.receivers[0].decision), (true, Decision::Delivered));
}

#[test]
fn an_expired_delivery_waits_no_longer_and_other_exchanges_are_passed_by() {
    let other = Leaf { exchange: exchange(1, 9), ..sent() };
    let found = put_together(&[other, sent(), about(&sent(), Event::Expired, 0, 9, |_| ())]);
    assert_eq!(found.receivers[0].records, [1, 2]);
    assert!(!found.receivers[0].waiting && !found.receivers[0].reached);
    assert_eq!(found.receivers[0].to, party(4, "coach"));
}
