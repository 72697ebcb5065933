use super::*;

/// The classic inputs of certificate transparency's own tests.
pub(crate) fn classic() -> Vec<Vec<u8>> {
    let inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    inputs.iter().map(|input| hex::decode(input).unwrap()).collect()
}

#[test]
fn the_classic_inputs_give_the_published_roots() {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root().to_string()];
    for input in classic() {
        frontier.push(leaf_hash(&input));
        roots.push(frontier.root().to_string());
    }
    assert_eq!(roots[0], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(roots[3], "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
    assert_eq!(roots[8], "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn a_frontier_is_taken_up_where_it_was_left() {
    let mut frontier = Frontier::new();
    for size in 0..70u64 {
        let again = Frontier::from_peaks(size, frontier.peaks().to_vec()).unwrap();
        assert_eq!(again, frontier);
        frontier.push(leaf_hash(&size.to_be_bytes()));
    }
    assert_eq!(Frontier::from_peaks(3, vec![empty_root()]), None);
}
