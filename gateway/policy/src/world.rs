//! Everything that a rule can be asked about, as Cedar entities: parties, fields, classes, purposes.
//!
//! Owns: the finite space of requests. Every field is in the store, so that `forbid … resource in …` cannot miss one,
//! and every value comes from the bundle, never from a caller. `decision` asks; nothing changes here.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};
use model::{DataClass, FieldKind, Form, MessageType, Oin, Role};

use crate::classification::Classified;
use crate::exchanges::Exchanges;
use crate::organisations::{Functie, Registry};
use crate::problem::{Problem, Stage};

/// Every class there is; what is not in it has no class.
pub(crate) const CLASSIFIED: &str = "geclassificeerd";

/// Someone who sends or receives: any organisation of a kind in a role, or one that a rule names.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) functie: Functie,
    /// Only for an organisation that a rule names; the others of a kind are equal.
    pub(crate) organisation: Option<Oin>,
    pub(crate) uid: EntityUid,
}

/// Something that a decision is about.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: FieldKind,
    pub(crate) uid: EntityUid,
}

/// Index of a party in [`World::parties`].
pub(crate) type PartyIndex = usize;
/// Index of a resource in [`World::resources`].
pub(crate) type ResourceIndex = usize;

/// The space of requests.
pub(crate) struct World {
    pub(crate) schema: Schema,
    pub(crate) entities: Entities,
    pub(crate) parties: Vec<Party>,
    pub(crate) resources: Vec<Resource>,
    fields: BTreeMap<(MessageType, u32), ResourceIndex>,
    subjects: BTreeMap<(MessageType, DataClass), ResourceIndex>,
    names: Names,
}

/// Entity type names, parsed once.
struct Names(BTreeMap<&'static str, EntityTypeName>);

const TYPES: [&str; 21] = [
    "Soort",
    "Organisatie",
    "Rol",
    "Functie",
    "Partij",
    "Doel",
    "Uitwisseling",
    "Grondslag",
    "Toestemming",
    "Dataklasse",
    "Bericht",
    "Waardeveld",
    "Datumveld",
    "Leeftijdveld",
    "Postcodeveld",
    "Urenveld",
    "Identificatieveld",
    "Tekstveld",
    "Berichtveld",
    "Onderwerp",
    "Action",
];

impl Names {
    fn new() -> Result<Names, Problem> {
        let parse = |name: &'static str| {
            EntityTypeName::from_str(name)
                .map(|parsed| (name, parsed))
                .map_err(|error| Problem::new(Stage::Rule, name, error))
        };
        TYPES.into_iter().map(parse).collect::<Result<_, _>>().map(Names)
    }

    fn uid(&self, name: &str, id: impl ToString) -> Result<EntityUid, Problem> {
        let unknown = || Problem::new(Stage::Rule, name, "not an entity type of the schema");
        let name = self.0.get(name).ok_or_else(unknown)?;
        Ok(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id.to_string())))
    }
}

/// Collects entities with their parents.
struct Store {
    names: Names,
    entities: Vec<Entity>,
}

impl Store {
    fn add<I, S>(&mut self, name: &str, id: impl ToString, parents: I) -> Result<EntityUid, Problem>
    where
        I: IntoIterator<Item = (&'static str, S)>,
        S: ToString,
    {
        let uid = self.names.uid(name, id)?;
        let parents = parents.into_iter().map(|(name, id)| self.names.uid(name, id));
        let parents = parents.collect::<Result<HashSet<_>, _>>()?;
        self.entities.push(Entity::new_no_attrs(uid.clone(), parents));
        Ok(uid)
    }
}

const NONE: [(&str, &str); 0] = [];

impl World {
    pub(crate) fn new(
        schema: Schema,
        registry: &Registry,
        exchanges: &Exchanges,
        classified: &Classified,
        named: &BTreeSet<Oin>,
    ) -> Result<World, Problem> {
        let mut store = Store { names: Names::new()?, entities: Vec::new() };
        let parties = add_parties(&mut store, registry, named)?;
        add_purposes(&mut store, exchanges)?;
        add_classes(&mut store)?;
        let mut resources = Vec::new();
        let mut fields = BTreeMap::new();
        for (key, field) in &classified.fields {
            let parents = field.class.map(|class| ("Dataklasse", class.name().to_owned()));
            let parents = parents.into_iter().chain([("Bericht", field.message.to_string())]);
            let uid = store.add(type_of(field.kind), field.full_name(), parents)?;
            fields.insert(key.clone(), resources.len());
            resources.push(Resource { kind: field.kind, uid });
        }
        let messages: BTreeSet<&MessageType> = classified.fields.keys().map(|(message, _)| message).collect();
        let mut subjects = BTreeMap::new();
        for message in messages {
            store.add("Bericht", message, NONE)?;
            for class in DataClass::ALL.iter().copied().filter(|class| *class != DataClass::Tekst) {
                let parents = [("Dataklasse", class.name().to_owned()), ("Bericht", message.to_string())];
                let uid = store.add("Onderwerp", format!("{message} {class}"), parents)?;
                subjects.insert((message.clone(), class), resources.len());
                resources.push(Resource { kind: FieldKind::Tekst, uid });
            }
        }
        // A field without a class, so that the guardrail against those can be seen to work.
        let uid = store.add("Waardeveld", "zonder klasse", NONE)?;
        resources.push(Resource { kind: FieldKind::Waarde, uid });
        let Store { names, entities } = store;
        let entities = Entities::from_entities(entities, Some(&schema))
            .map_err(|error| Problem::new(Stage::Rule, "schema.cedarschema", format!("{error:?}")))?;
        Ok(World { schema, entities, parties, resources, fields, subjects, names })
    }

    pub(crate) fn field(&self, key: &(MessageType, u32)) -> Option<ResourceIndex> {
        self.fields.get(key).copied()
    }

    /// What stands for a text in this message about this class.
    pub(crate) fn subject(&self, message: &MessageType, class: DataClass) -> Option<ResourceIndex> {
        self.subjects.get(&(message.clone(), class)).copied()
    }

    pub(crate) fn action(&self, form: Form) -> Result<EntityUid, Problem> {
        self.names.uid("Action", form.name())
    }

    /// An entity as a value of the context.
    pub(crate) fn value(&self, name: &str, id: impl ToString) -> Result<RestrictedExpression, Problem> {
        self.names.uid(name, id).map(RestrictedExpression::new_entity_uid)
    }

    /// The parties with a functie: one for its kind, and one for each named organisation of that kind.
    pub(crate) fn parties_of<'a>(&'a self, functie: &'a Functie) -> impl Iterator<Item = PartyIndex> + 'a {
        let with = self.parties.iter().enumerate().filter(move |(_, party)| party.functie == *functie);
        with.map(|(index, _)| index)
    }
}

fn add_parties(store: &mut Store, registry: &Registry, named: &BTreeSet<Oin>) -> Result<Vec<Party>, Problem> {
    for kind in registry.kinds.keys() {
        store.add("Soort", kind, NONE)?;
    }
    for (role, groups) in &registry.roles {
        store.add("Rol", role, groups.iter().map(|group| ("Rol", group)))?;
    }
    // Registered organisations that no rule names exist too, so that a rule may begin to name them.
    for oin in registry.organisations.keys() {
        store.add("Organisatie", oin, NONE)?;
    }
    let mut parties = Vec::new();
    for functie in registry.functies() {
        let parents = [("Soort", functie.kind.to_string()), ("Rol", functie.role.to_string())];
        store.add("Functie", &functie, parents)?;
        let uid = store.add("Partij", &functie, [("Functie", &functie)])?;
        parties.push(Party { functie, organisation: None, uid });
    }
    for organisation in named.iter().filter_map(|oin| registry.organisations.get(oin)) {
        let kind = &organisation.kind;
        for role in registry.kinds.get(kind).into_iter().flatten() {
            let functie = Functie { kind: kind.clone(), role: Role::clone(role) };
            let parents = [("Functie", functie.to_string()), ("Organisatie", organisation.oin.to_string())];
            let uid = store.add("Partij", format!("{}:{role}", organisation.oin), parents)?;
            parties.push(Party { functie, organisation: Some(organisation.oin), uid });
        }
    }
    Ok(parties)
}

fn add_purposes(store: &mut Store, exchanges: &Exchanges) -> Result<(), Problem> {
    let mut groups = BTreeSet::new();
    for (purpose, parents) in &exchanges.purposes {
        store.add("Doel", purpose, parents.iter().map(|parent| ("Doel", parent)))?;
        groups.extend(parents);
    }
    // A group of purposes need not be declared by itself: it is a name that several purposes share.
    for group in groups.into_iter().filter(|group| !exchanges.purposes.contains_key(group)) {
        store.add("Doel", group, NONE)?;
    }
    for exchange in &exchanges.exchanges {
        store.add("Uitwisseling", &exchange.id, NONE)?;
    }
    Ok(())
}

/// `persoon` is one class, `persoon.*` that class and all below it, `geclassificeerd` all of them.
fn add_classes(store: &mut Store) -> Result<(), Problem> {
    let mut groups = BTreeSet::new();
    for class in DataClass::ALL {
        let group = class.name().split('.').next().unwrap_or_default();
        groups.insert(group);
        store.add("Dataklasse", class, [("Dataklasse", format!("{group}.*"))])?;
    }
    for group in groups {
        store.add("Dataklasse", format!("{group}.*"), [("Dataklasse", CLASSIFIED)])?;
    }
    store.add("Dataklasse", CLASSIFIED, NONE)?;
    Ok(())
}

const fn type_of(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Waarde => "Waardeveld",
        FieldKind::Datum => "Datumveld",
        FieldKind::Leeftijd => "Leeftijdveld",
        FieldKind::Postcode => "Postcodeveld",
        FieldKind::Uren => "Urenveld",
        FieldKind::Identificatie => "Identificatieveld",
        FieldKind::Tekst => "Tekstveld",
        FieldKind::Bericht => "Berichtveld",
    }
}
