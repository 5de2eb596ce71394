//! `hello`: the first frame, which settles who is there and in which version both speak.

use std::sync::Arc;

use klatch_protocol::gateway::{ClientFrame, CloseCode, PROTOCOL, ServerFrame};
use klatch_protocol::objects::Slug;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::super::Gateway;
use super::super::outbox::encode;
use super::super::websocket::{Message, Reader};
use crate::accounts::{Error, Identity, user_object};

/// Waits for hello, and answers it.
///
/// # Errors
/// The code to close with; none if the client is gone.
pub async fn hello<S: AsyncRead + AsyncWrite + Unpin>(
    gateway: &Arc<Gateway>,
    reader: &mut Reader,
    stream: &mut S,
) -> Result<Identity, Option<CloseCode>> {
    let text = tokio::select! {
        first = timeout(gateway.options.hello_within, reader.next(stream)) => match first {
            Ok(Ok(Message::Text(text))) => text,
            Ok(Ok(Message::Close) | Err(_)) => return Err(None),
            Ok(Ok(Message::Ping(_) | Message::Pong)) => return Err(Some(CloseCode::NotHello)),
            Err(_) => return Err(Some(CloseCode::HelloTimeout)),
        },
        () = gateway.stop.cancelled() => return Err(Some(CloseCode::Stopping)),
    };
    let Ok(ClientFrame::Hello { protocol, token, client, .. }) = serde_json::from_slice(&text) else {
        return Err(Some(CloseCode::NotHello));
    };
    if !protocol.contains(&PROTOCOL) {
        return Err(Some(CloseCode::VersionUnsupported));
    }
    let identity = gateway.accounts.authenticate(&token).await.map_err(|error| Some(code(&error)))?;
    let account = gateway.accounts.account(identity.user).await.map_err(|error| Some(code(&error)))?;
    tracing::debug!(user = %identity.user, client = %client.name, version = %client.version, "hello");
    let ready = encode(&ServerFrame::Ready {
        protocol: PROTOCOL,
        workspace: gateway.services.workspace.0,
        user: user_object(account),
        session: identity.device.0,
        server_time: gateway.services.clock.now().0,
        limits: gateway.limits(),
        capabilities: Vec::new(),
    });
    stream.write_all(&ready).await.map_err(|_| None)?;
    Ok(identity)
}

fn code(error: &Error) -> CloseCode {
    match error.slug() {
        Slug::TokenExpired | Slug::Unauthorized => CloseCode::TokenExpired,
        Slug::SignedOut => CloseCode::SignedOut,
        Slug::AccountClosed => CloseCode::AccountClosed,
        _ => CloseCode::Internal,
    }
}
