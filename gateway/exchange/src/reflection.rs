//! The part of the contracts that a caller may see: what it may send, get or ask, and no more.
//!
//! Owns: which methods and documents that are – by the exchanges of the bundle, for the roles that the caller may act in
//! – and cutting descriptors down to them; for an operator see `operators`. A file keeps its name and its options, and loses every message that nothing
//! visible leads to. `services::reflection` speaks the protocol.

mod cut;
mod operators;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use model::{Name, Purpose, Role};
use policy::{Exchange, Functie};
use prost_reflect::{
    DescriptorPool, EnumDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};

use crate::ask::Routes;
use crate::line::authorise::CONSENT_EXCHANGE;
use crate::rules::Rules;

/// The gateway's own contracts.
static OWN: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(proto::DESCRIPTORS).unwrap_or_default());

/// Services that everyone may use; those of gRPC itself have no contract of ours.
const EVERYONES: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// What one caller may see.
#[derive(Default)]
pub(crate) struct Seen {
    services: BTreeSet<String>,
    methods: BTreeSet<String>,
    /// Messages and enums that stand in no other, by full name.
    types: BTreeSet<String>,
    files: BTreeMap<String, FileDescriptor>,
    /// Every visible name, and the file that has it.
    symbols: BTreeMap<String, String>,
}

/// Who the caller is, for what it may see: a kind of organisation, in these roles.
pub(crate) struct Caller {
    pub(crate) kind: Name,
    pub(crate) roles: Vec<Role>,
}

impl Caller {
    fn is_one_of(&self, parties: &[Functie]) -> bool {
        parties.iter().any(|party| party.kind == self.kind && self.roles.contains(&party.role))
    }
}

impl Seen {
    fn of_everyone() -> Seen {
        Seen { services: EVERYONES.map(str::to_owned).into(), ..Seen::default() }
    }

    /// What this caller may see under these rules and routes.
    pub(crate) fn by(caller: &Caller, rules: &Rules, routes: &Routes) -> Seen {
        let mut seen = Seen::of_everyone();
        seen.service("veldwacht.audit.v1.AuditService");
        let exchanges = || rules.proven().exchanges();
        let takes_part =
            |exchange: &Exchange| caller.is_one_of(&exchange.from) || caller.is_one_of(&exchange.to);
        if exchanges().any(|exchange| takes_part(exchange)) {
            seen.service("veldwacht.exchange.v1.ExchangeService");
        }
        if exchanges().any(|exchange| caller.is_one_of(&exchange.from)) {
            seen.service("veldwacht.screening.v1.ScreeningService");
        }
        if exchanges().any(|exchange| &*exchange.id == CONSENT_EXCHANGE && caller.is_one_of(&exchange.from)) {
            seen.service("veldwacht.consent.v1.ConsentService");
        }
        let trajects = rules.proven().trajects();
        if caller.is_one_of(&trajects.opened_by) || caller.is_one_of(&trajects.told_by) {
            seen.service("veldwacht.traject.v1.TrajectService");
        }
        for exchange in exchanges().filter(|exchange| takes_part(exchange)) {
            if let Some(document) = rules.proven().message(&exchange.message) {
                seen.message(&document);
            }
        }
        for (method, request, reply, purpose, source) in routes.contracts(rules) {
            let kind = rules.proven().organisation(&source.oin).map(|source| source.kind.clone());
            let Some(kind) = kind else { continue };
            let source = Functie { kind, role: source.role.clone() };
            let between = |exchange: &Exchange, purpose: &Purpose, message: &str| {
                exchange.purpose == *purpose && exchange.message.as_str() == message
            };
            let asks = exchanges().any(|exchange| {
                between(exchange, purpose, request.as_str())
                    && caller.is_one_of(&exchange.from)
                    && exchange.to.contains(&source)
            });
            let is_answered = exchanges().any(|exchange| {
                between(exchange, purpose, reply.as_str())
                    && exchange.from.contains(&source)
                    && caller.is_one_of(&exchange.to)
            });
            if asks && is_answered {
                seen.method(&method);
            }
        }
        seen
    }

    /// The visible services, by full name.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str)
    }

    /// A file, cut down to what is visible.
    pub(crate) fn file(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.files.get(name)?;
        let whole = file.package_name() == "google.protobuf";
        let bytes = file.encode_to_vec();
        if whole { Some(bytes) } else { cut::file(&bytes, file.package_name(), self) }
    }

    /// The file that has a visible name.
    pub(crate) fn file_of(&self, symbol: &str) -> Option<Vec<u8>> {
        self.file(self.symbols.get(symbol)?)
    }

    pub(crate) fn has_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    pub(crate) fn has_service(&self, name: &str) -> bool {
        self.services.contains(name)
    }

    pub(crate) fn has_method(&self, name: &str) -> bool {
        self.methods.contains(name)
    }

    /// All of one of our own services.
    fn service(&mut self, name: &str) {
        let Some(service) = OWN.get_service_by_name(name) else { return };
        service.methods().for_each(|method| self.method(&method));
    }

    fn method(&mut self, method: &MethodDescriptor) {
        let service = method.parent_service();
        let file = service.parent_file();
        for name in [service.full_name(), method.full_name()] {
            self.symbols.insert(name.to_owned(), file.name().to_owned());
        }
        self.services.insert(service.full_name().to_owned());
        self.methods.insert(method.full_name().to_owned());
        self.needs(&file);
        self.message(&method.input());
        self.message(&method.output());
    }

    /// A message with everything that it leads to.
    fn message(&mut self, message: &MessageDescriptor) {
        let mut outermost = message.clone();
        while let Some(parent) = outermost.parent_message() {
            outermost = parent;
        }
        if !self.types.insert(outermost.full_name().to_owned()) {
            return;
        }
        self.needs(&outermost.parent_file());
        self.inside(&outermost);
    }

    /// The fields of a message and of those within it.
    fn inside(&mut self, message: &MessageDescriptor) {
        let file = message.parent_file().name().to_owned();
        self.symbols.insert(message.full_name().to_owned(), file.clone());
        for field in message.fields() {
            match field.kind() {
                Kind::Message(kind) => self.message(&kind),
                Kind::Enum(kind) => self.enumeration(&kind),
                _ => {}
            }
        }
        message.child_messages().for_each(|child| self.inside(&child));
        message.child_enums().for_each(|child| {
            self.symbols.insert(child.full_name().to_owned(), file.clone());
        });
    }

    fn enumeration(&mut self, kind: &EnumDescriptor) {
        match kind.parent_message() {
            Some(parent) => self.message(&parent),
            None => {
                let file = kind.parent_file();
                self.symbols.insert(kind.full_name().to_owned(), file.name().to_owned());
                self.types.insert(kind.full_name().to_owned());
                self.needs(&file);
            }
        }
    }

    /// A file and those that it imports: whoever reads it asks for them.
    fn needs(&mut self, file: &FileDescriptor) {
        if self.files.insert(file.name().to_owned(), file.clone()).is_none() {
            file.dependencies().for_each(|imported| self.needs(&imported));
            // Options stay, so what they are made of stays.
            file.extensions().for_each(|extension| match extension.kind() {
                Kind::Message(kind) => self.message(&kind),
                Kind::Enum(kind) => self.enumeration(&kind),
                _ => {}
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    #[test]
    fn a_file_is_cut_down_to_what_is_visible_and_keeps_its_options() {
        let mut seen = Seen::default();
        let service = OWN.get_service_by_name("veldwacht.exchange.v1.ExchangeService").unwrap();
        seen.method(&service.methods().find(|method| method.name() == "GetReceipt").unwrap());
        let name = service.parent_file().name().to_owned();
        let file = prost_types::FileDescriptorProto::decode(seen.file(&name).unwrap().as_slice()).unwrap();
        let messages: Vec<&str> = file.message_type.iter().map(|message| message.name()).collect();
        assert_eq!(messages, ["GetReceiptRequest", "GetReceiptResponse"]);
        let methods: Vec<&str> = file.service[0].method.iter().map(|method| method.name()).collect();
        assert_eq!(methods, ["GetReceipt"]);
        assert_eq!(seen.file_of("veldwacht.exchange.v1.ExchangeService.Send"), None);
        assert_eq!(seen.file("werkfit/v1/aanmelding.proto"), None);

        // A document with classes on its fields: a pool of what is visible reads, and has them.
        let document = OWN.get_message_by_name("werkfit.v1.Aanmelding").unwrap();
        seen.message(&document);
        let mut visible = DescriptorPool::new();
        let set: Vec<u8> = seen
            .files
            .keys()
            .flat_map(|name| {
                let file = seen.file(name).unwrap();
                let mut out = Vec::new();
                prost::encoding::bytes::encode(1, &file, &mut out);
                out
            })
            .collect();
        visible.decode_file_descriptor_set(set.as_slice()).unwrap();
        let again = visible.get_message_by_name("werkfit.v1.Aanmelding").unwrap();
        assert_eq!(again.fields().len(), document.fields().len());
        for (cut, whole) in again.fields().zip(document.fields()) {
            assert_eq!(cut.options().encode_to_vec(), whole.options().encode_to_vec(), "{}", whole.name());
        }
    }
}
