//! What people do.

mod chatting;
mod coming_back;
mod leaving;
mod refusing;
mod repeating;
