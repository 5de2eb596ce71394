//! Requests and answers under `/api/v1`.
