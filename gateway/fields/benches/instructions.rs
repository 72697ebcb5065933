//! One way of filtering one dossier, so many times, and nothing else: for `tests/callgrind-fields` to count.
//!
//! Arguments: the way, the size in bytes, how many times.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use fields::{Account, PseudonymKey};
use prost::Message;
use prost_reflect::DynamicMessage;

mod dossier;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let way = arguments.next().unwrap_or_else(|| "filter".into());
    let size = arguments.next().and_then(|size| size.parse().ok()).unwrap_or(20_000);
    let times: usize = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let contract = dossier::contract().unwrap();
    let clearing = dossier::Clearing::of(contract);
    let input = dossier::dossier(size).encode_to_vec();
    let key = PseudonymKey::for_receiver(&[0; 32], &"00000099000000001000".parse().unwrap());
    let plan =
        if way == "keep-all" { dossier::keeping(contract) } else { dossier::filtering(contract) }.unwrap();
    let (mut output, mut account) = (Vec::with_capacity(2 * size), Account::new());
    for _ in 0..times {
        match way.as_str() {
            "filter" | "keep-all" => plan.filter(&input, &key, &mut output, &mut account).unwrap(),
            "prost" => {
                let mut message = dossier::types::Dossier::decode(input.as_slice()).unwrap();
                dossier::clear(&mut message);
                output.clear();
                message.encode(&mut output).unwrap();
            }
            "prost-reflect" => {
                let mut message = DynamicMessage::decode(contract.clone(), input.as_slice()).unwrap();
                clearing.clear(&mut message);
                output.clear();
                message.encode(&mut output).unwrap();
            }
            other => panic!("no way to filter is called {other}"),
        }
    }
    let message = DynamicMessage::decode(contract.clone(), input.as_slice()).unwrap();
    println!(
        "{way} {size}: {} bytes in, {} fields, {} bytes out",
        input.len(),
        dossier::count_fields(&message),
        output.len()
    );
}
