//! What the pass must watch for in a message, because leaving something out would change what the rest means.
//!
//! Owns: one word of bits for each message type. Of a oneof the last member on the wire wins: when that one is
//! withheld, an earlier one must not come back to life. A sub-message that comes in pieces counts as one. Where
//! the pass meets such a thing it reads on, and `settle` puts the message in order first.

use prost_reflect::MessageDescriptor;

use crate::compile::PlanError;
use crate::plan::{Act, Field, Slot, Walk};

/// Bits are shared from here on: a false alarm costs a second pass and nothing else.
const LAST: u32 = u32::BITS - 1;

/// Gives every slot of a message its bits.
pub(crate) fn message(
    message: &MessageDescriptor,
    fields: &[Field],
    slots: &mut [(u32, Slot)],
) -> Result<(), PlanError> {
    let mut bits = 0;
    for (_, slot) in slots.iter_mut().filter(|(_, slot)| slot.act == Act::Once) {
        if bits == LAST {
            return Err(PlanError::TooLarge { message: message.full_name().to_owned() });
        }
        slot.watch.sets = 1 << bits;
        bits += 1;
    }
    let mut next = || {
        let bit = 1 << bits;
        bits = (bits + 1).min(LAST);
        bit
    };
    for oneof in 0..message.oneofs().len() {
        let mut members: Vec<&mut Slot> = (fields.iter().zip(slots.iter_mut()))
            .filter(|(field, _)| field.oneof.is_some_and(|of| usize::from(of) == oneof))
            .map(|(_, (_, slot))| slot)
            .collect();
        let withheld = members.iter().filter(|slot| slot.act == Act::Drop).count();
        if withheld == 0 || withheld == members.len() {
            continue;
        }
        let kept = next();
        for slot in &mut members {
            match slot.act {
                Act::Drop => slot.watch.conflicts |= kept,
                _ => slot.watch.sets |= kept,
            }
        }
    }
    let singular = fields.iter().zip(slots).filter(|(field, _)| !field.repeated);
    for (_, (_, slot)) in singular.filter(|(_, (_, slot))| slot.walk == Walk::Message) {
        let piece = next();
        slot.watch.sets |= piece;
        slot.watch.conflicts |= piece;
    }
    Ok(())
}

/// An `Any` is read in one go only if its type stands before its value, each of them once.
pub(crate) fn any(slots: &mut [(u32, Slot)]) {
    for (_, slot) in slots {
        let (sets, conflicts) = if slot.walk == Walk::AnyUrl { (1, 1 | 2) } else { (2, 2) };
        slot.watch.sets = sets;
        slot.watch.conflicts = conflicts;
    }
}
