mod abuse;
mod handshake;
mod pressure;
mod reload;
mod requests;
mod share;
mod world;
