// Made by prost-build from `dossier.proto`, with serde derived for the JSON peer. Not written by hand.

#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Dossier {
    #[prost(message, optional, tag = "1")]
    pub persoon: ::core::option::Option<Persoon>,
    #[prost(message, optional, tag = "2")]
    pub traject: ::core::option::Option<Traject>,
    #[prost(message, optional, tag = "3")]
    pub uitkering: ::core::option::Option<Uitkering>,
    #[prost(message, optional, tag = "4")]
    pub belastbaarheid: ::core::option::Option<Belastbaarheid>,
    #[prost(message, repeated, tag = "5")]
    pub contacten: ::prost::alloc::vec::Vec<Contact>,
    #[prost(message, repeated, tag = "6")]
    pub diagnoses: ::prost::alloc::vec::Vec<Diagnose>,
    #[prost(message, repeated, tag = "7")]
    pub medicatie: ::prost::alloc::vec::Vec<Medicatie>,
    #[prost(message, repeated, tag = "8")]
    pub doelen: ::prost::alloc::vec::Vec<Doel>,
    #[prost(message, optional, tag = "16")]
    pub werk: ::core::option::Option<Werk>,
    #[prost(message, repeated, tag = "17")]
    pub schulden: ::prost::alloc::vec::Vec<Schuld>,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Persoon {
    #[prost(string, tag = "1")]
    pub bsn: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub voornaam: ::prost::alloc::string::String,
    #[prost(string, tag = "3")]
    pub achternaam: ::prost::alloc::string::String,
    #[prost(string, tag = "4")]
    pub geboortedatum: ::prost::alloc::string::String,
    #[prost(message, optional, tag = "5")]
    pub adres: ::core::option::Option<Adres>,
    #[prost(string, tag = "6")]
    pub telefoon: ::prost::alloc::string::String,
    #[prost(string, tag = "7")]
    pub email: ::prost::alloc::string::String,
    #[prost(int32, tag = "8")]
    pub leeftijd: i32,
    #[prost(string, tag = "9")]
    pub gezin: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Adres {
    #[prost(string, tag = "1")]
    pub straat: ::prost::alloc::string::String,
    #[prost(uint32, tag = "2")]
    pub huisnummer: u32,
    #[prost(string, tag = "3")]
    pub postcode: ::prost::alloc::string::String,
    #[prost(string, tag = "4")]
    pub plaats: ::prost::alloc::string::String,
    #[prost(string, tag = "5")]
    pub geheim: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Traject {
    #[prost(string, tag = "1")]
    pub id: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub opdrachtgever: ::prost::alloc::string::String,
    #[prost(int32, tag = "3")]
    pub fase: i32,
    #[prost(int64, tag = "4")]
    pub begin: i64,
    #[prost(int64, tag = "5")]
    pub einde: i64,
    #[prost(bool, tag = "6")]
    pub met_behandeling: bool,
    #[prost(string, repeated, tag = "7")]
    pub leden: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Uitkering {
    #[prost(int32, tag = "1")]
    pub soort: i32,
    #[prost(string, tag = "2")]
    pub sinds: ::prost::alloc::string::String,
    #[prost(double, tag = "3")]
    pub bedrag: f64,
    #[prost(string, tag = "4")]
    pub grond: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Belastbaarheid {
    #[prost(message, repeated, tag = "1")]
    pub items: ::prost::alloc::vec::Vec<Item>,
    #[prost(int32, tag = "2")]
    pub uren_per_dag: i32,
    #[prost(int32, tag = "3")]
    pub uren_per_week: i32,
    #[prost(int64, tag = "4")]
    pub vastgesteld: i64,
    #[prost(string, tag = "5")]
    pub arts: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Item {
    #[prost(string, tag = "1")]
    pub code: ::prost::alloc::string::String,
    #[prost(int32, tag = "2")]
    pub score: i32,
    #[prost(string, tag = "3")]
    pub toelichting: ::prost::alloc::string::String,
    #[prost(string, tag = "4")]
    pub oorzaak: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Contact {
    #[prost(int64, tag = "1")]
    pub moment: i64,
    #[prost(string, tag = "2")]
    pub kanaal: ::prost::alloc::string::String,
    #[prost(string, tag = "3")]
    pub met: ::prost::alloc::string::String,
    #[prost(string, tag = "4")]
    pub verslag: ::prost::alloc::string::String,
    #[prost(bool, tag = "5")]
    pub nagekomen: bool,
    #[prost(int32, tag = "6")]
    pub minuten: i32,
    #[prost(string, tag = "7")]
    pub klacht: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Diagnose {
    #[prost(string, tag = "1")]
    pub code: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub omschrijving: ::prost::alloc::string::String,
    #[prost(int64, tag = "3")]
    pub sinds: i64,
    #[prost(string, tag = "4")]
    pub behandelaar: ::prost::alloc::string::String,
    #[prost(bool, tag = "5")]
    pub vermoeden: bool,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Medicatie {
    #[prost(string, tag = "1")]
    pub middel: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub dosering: ::prost::alloc::string::String,
    #[prost(int64, tag = "3")]
    pub vanaf: i64,
    #[prost(uint32, tag = "4")]
    pub per_dag: u32,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct Doel {
    #[prost(string, tag = "1")]
    pub titel: ::prost::alloc::string::String,
    #[prost(int32, tag = "2")]
    pub voortgang: i32,
    #[prost(int64, tag = "3")]
    pub streefdatum: i64,
    #[prost(bool, tag = "4")]
    pub behaald: bool,
    #[prost(string, repeated, tag = "5")]
    pub stappen: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    #[prost(string, tag = "6")]
    pub belemmering: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Werk {
    #[prost(string, tag = "1")]
    pub opleiding: ::prost::alloc::string::String,
    #[prost(string, repeated, tag = "2")]
    pub wensen: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    #[prost(bool, tag = "3")]
    pub rijbewijs: bool,
    #[prost(int32, tag = "4")]
    pub reisafstand: i32,
    #[prost(message, repeated, tag = "5")]
    pub plekken: ::prost::alloc::vec::Vec<Plek>,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Plek {
    #[prost(string, tag = "1")]
    pub werkgever: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub functie: ::prost::alloc::string::String,
    #[prost(int64, tag = "3")]
    pub van: i64,
    #[prost(int64, tag = "4")]
    pub tot: i64,
    #[prost(double, tag = "5")]
    pub uren: f64,
    #[prost(string, tag = "6")]
    pub reden_einde: ::prost::alloc::string::String,
}
#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct Schuld {
    #[prost(string, tag = "1")]
    pub schuldeiser: ::prost::alloc::string::String,
    #[prost(double, tag = "2")]
    pub bedrag: f64,
    #[prost(int64, tag = "3")]
    pub sinds: i64,
}
