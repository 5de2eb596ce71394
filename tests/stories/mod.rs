//! What people do.

mod chatting;
mod cold;
mod coming_back;
mod crowd;
mod knocking;
mod leaving;
mod refusing;
mod repeating;
mod signing_out;
