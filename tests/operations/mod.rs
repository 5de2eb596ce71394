//! What is done to a running site, and by programs that others write.

mod example_client;
