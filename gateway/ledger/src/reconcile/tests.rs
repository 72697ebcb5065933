use super::*;
use crate::leaf::tests::{exchange, party, sent};

fn numbered(count: u8) -> Vec<Leaf> {
    (0..count).map(|number| Leaf { exchange: exchange(1_795_000_000_000, number), ..sent() }).collect()
}

fn compare(first: &[Leaf], second: &[Leaf]) -> Reconciled {
    reconcile(first, second, |_| true)
}

#[test]
fn two_logs_that_tell_the_same_are_clean() {
    let outcome = compare(&numbered(5), &numbered(5));
    assert!(outcome.is_clean());
    assert_eq!(outcome.agreed, 10, "two receivers each");
}

#[test]
fn what_one_delivered_and_the_other_never_got_is_named() {
    let (first, second) = (numbered(3), numbered(2));
    let outcome = compare(&first, &second);
    assert_eq!(outcome.only_first.len(), 1, "what was returned is missed by nobody");
    assert_eq!(outcome.only_first[0].exchange, first[2].exchange);
    assert_eq!(compare(&second, &first).only_second, outcome.only_first);
}

#[test]
fn another_form_or_count_is_a_difference() {
    let first = numbered(1);
    let mut second = numbered(1);
    let Event::Sent(carried) = &mut second[0].event else { unreachable!() };
    carried.to[0].passed[0].form = Form::Vol;
    let outcome = compare(&first, &second);
    assert_eq!((outcome.agreed, outcome.differ.len()), (1, 1));
}

#[test]
fn the_order_and_splitting_of_counts_is_no_difference() {
    let first = numbered(1);
    let mut second = numbered(1);
    let Event::Sent(carried) = &mut second[0].event else { unreachable!() };
    carried.to[0].passed[0].count = 1;
    let again = carried.to[0].passed[0];
    carried.to[0].passed.push(again);
    assert!(compare(&first, &second).is_clean());
}

#[test]
fn deliveries_that_only_one_gateway_carries_are_left_out() {
    let outcome = reconcile(&numbered(3), &[], |claim| claim.to.oin == party(1, "x").oin);
    assert!(outcome.is_clean());
}
