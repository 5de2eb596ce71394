//! What the roles tell each other about accounts, through `live`, on the topic of the person: at most once, so whoever hears it
//! only hurries. What counts lies in the directory, and is asked for at each sign of life.

use bytes::Bytes;
use klatch_core::ids::{DeviceId, UserId};
use klatch_ports::live::{Said, Topic};

/// The first byte of a notice; what else is said on the topic of a person begins otherwise.
pub const MARK: u8 = 0xA1;

/// Something about an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountNotice {
    /// A session ended: its connections are to be closed.
    SessionRevoked {
        /// Its device.
        device: DeviceId,
    },
    /// The account was closed: all its connections are to be closed.
    AccountClosed,
    /// The profile changed: whoever shows it is to get it anew.
    ProfileChanged,
    /// The blocks changed: the person's other devices are to get them anew.
    BlocksChanged,
}

impl AccountNotice {
    /// The notice as it is published.
    pub fn encode(self) -> Bytes {
        let mut bytes = vec![MARK];
        match self {
            Self::SessionRevoked { device } => {
                bytes.push(1);
                bytes.extend_from_slice(device.as_bytes());
            }
            Self::AccountClosed => bytes.push(2),
            Self::ProfileChanged => bytes.push(3),
            Self::BlocksChanged => bytes.push(4),
        }
        bytes.into()
    }

    /// The notice in these bytes, if it is one that this version knows.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [MARK, 1, device @ ..] => Some(Self::SessionRevoked { device: DeviceId::from_slice(device)? }),
            [MARK, 2] => Some(Self::AccountClosed),
            [MARK, 3] => Some(Self::ProfileChanged),
            [MARK, 4] => Some(Self::BlocksChanged),
            _ => None,
        }
    }

    /// The notice, said on the topic of a person.
    pub fn said(self, user: UserId) -> Said {
        Said { topic: Topic::User(user), payload: self.encode() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_understood() {
        let device = DeviceId::from_bytes([7; 16]);
        for notice in [
            AccountNotice::SessionRevoked { device },
            AccountNotice::AccountClosed,
            AccountNotice::ProfileChanged,
            AccountNotice::BlocksChanged,
        ] {
            assert_eq!(AccountNotice::decode(&notice.encode()), Some(notice));
        }
        for other in [&[][..], &[MARK], &[MARK, 1, 7], &[MARK, 2, 0], &[MARK, 99], &[0x7b, 1]] {
            assert_eq!(AccountNotice::decode(other), None);
        }
    }
}
