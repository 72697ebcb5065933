//! Who is at the door: certificate to peer, role assertion to actor.
