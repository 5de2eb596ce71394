//! What people do.

mod chatting;
mod cold;
mod coming_back;
mod crowd;
mod leaving;
mod refusing;
mod repeating;
