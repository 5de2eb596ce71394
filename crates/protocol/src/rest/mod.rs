//! Requests and answers under `/api/v1`.

mod history;

pub use history::HistoryPage;
