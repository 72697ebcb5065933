//! Whether the scope of a rule admits a party, a form or a resource, and which resources no rule can tell apart.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Entities, EntityTypeName, EntityUid, PrincipalConstraint, ResourceConstraint,
};

use crate::rules::Rule;
use crate::world::World;

/// For every resource the number of its group. A rule sees of a resource only its type and whether it is, or lies in,
/// an entity that some rule names; where those agree, every decision does.
pub(super) fn alike(world: &World, rules: &[Rule]) -> Vec<usize> {
    let named: HashSet<EntityUid> = rules.iter().flat_map(|rule| rule.policy.entity_literals()).collect();
    let mut groups = HashMap::new();
    let group_of = |uid: &EntityUid| {
        let above = world.entities.ancestors(uid).into_iter().flatten();
        let seen: BTreeSet<String> =
            above.chain([uid]).filter(|uid| named.contains(*uid)).map(ToString::to_string).collect();
        let next = groups.len();
        *groups.entry((uid.type_name().to_string(), seen)).or_insert(next)
    };
    world.resources.iter().map(|resource| &resource.uid).map(group_of).collect()
}

fn lies_in(entities: &Entities, uid: &EntityUid, ancestor: &EntityUid) -> bool {
    uid == ancestor || entities.is_ancestor_of(ancestor, uid)
}

fn is_a(uid: &EntityUid, name: &EntityTypeName) -> bool {
    uid.type_name() == name
}

pub(super) fn principal_fits(rule: &Rule, uid: &EntityUid, entities: &Entities) -> bool {
    match rule.policy.principal_constraint() {
        PrincipalConstraint::Any => true,
        PrincipalConstraint::In(above) => lies_in(entities, uid, &above),
        PrincipalConstraint::Eq(other) => *uid == other,
        PrincipalConstraint::Is(name) => is_a(uid, &name),
        PrincipalConstraint::IsIn(name, above) => is_a(uid, &name) && lies_in(entities, uid, &above),
    }
}

pub(super) fn action_fits(rule: &Rule, uid: &EntityUid, entities: &Entities) -> bool {
    match rule.policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(above) => above.iter().any(|above| lies_in(entities, uid, above)),
        ActionConstraint::Eq(other) => *uid == other,
    }
}

pub(super) fn resource_fits(rule: &Rule, uid: &EntityUid, entities: &Entities) -> bool {
    match rule.policy.resource_constraint() {
        ResourceConstraint::Any => true,
        ResourceConstraint::In(above) => lies_in(entities, uid, &above),
        ResourceConstraint::Eq(other) => *uid == other,
        ResourceConstraint::Is(name) => is_a(uid, &name),
        ResourceConstraint::IsIn(name, above) => is_a(uid, &name) && lies_in(entities, uid, &above),
    }
}
