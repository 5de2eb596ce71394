//! The frames of the WebSocket.
