mod abuse;
mod handshake;
mod neighbours;
mod pressure;
mod reload;
mod requests;
mod share;
mod world;
