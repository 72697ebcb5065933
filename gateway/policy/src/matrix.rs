//! The matrix: class × receiver for every exchange, as people read it and as approvals sign it.

use crate::bundle::{Digest, Digester};
use crate::enumeration::Route;
use crate::world::World;

/// The digest of everything that a bundle compiles to.
pub(crate) fn digest_of_matrix(world: &World, routes: &[Route]) -> Digest {
    let mut digester = Digester::new("veldwacht matrix v1");
    let party =
        |index: usize| world.parties.get(index).map(|party| party.uid.to_string()).unwrap_or_default();
    for route in routes {
        digester.part(route.exchange.id.as_bytes());
        digester.part(party(route.from).as_bytes());
        digester.part(party(route.to).as_bytes());
        for outcome in &route.outcomes {
            match outcome {
                Err(reason) => digester.part(reason.name().as_bytes()),
                Ok(compiled) => {
                    digester.part(format!("{:?}", compiled.screen_against).as_bytes());
                    for cell in compiled.cells.iter() {
                        let class = cell.class.map_or("-", |class| class.name());
                        let form = cell.form.map_or("-", |form| form.name());
                        digester.part(format!("{} {class} {form} {}", cell.path, cell.rule).as_bytes());
                    }
                }
            }
        }
    }
    digester.finish()
}
