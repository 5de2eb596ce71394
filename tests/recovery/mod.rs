//! Loss of power: a node runs on a disk that forgets whatever was not synced, is killed in the middle of its work, and must have kept
//! every word that it acknowledged.

mod checker;
mod child;
mod disk;
mod journals;
mod load;
mod power;
mod proof;
mod site;
