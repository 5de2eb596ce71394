//! The file that the log is copied to: frames, each with its length and a checksum that also covers its place, so that none can be
//! changed, left out or moved unseen. The last one says how many there were.
//!
//! A frame is its length (four bytes, big endian), eight bytes of a BLAKE3 hash over its number and its content, and its content:
//! a letter, then what that letter is followed by.

use std::io::{self, Read, Write};

use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::event_log::Record;

const MAGIC: &[u8; 16] = b"klatch log   1\r\n";
/// LIMIT: bytes of a frame. A record is far smaller.
const FRAME_BYTES_MAX: usize = 16 << 20;
const SUM_BYTES: usize = 8;

/// What a frame holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// From here on, records of this conversation.
    Conversation(ConversationId, Seq),
    /// The next record of it.
    Record(Record),
    /// There are no more: so many conversations, so many records.
    End(u64, u64),
}

/// Why a file of frames cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    /// It cannot be read, or ends too early.
    #[error("the log's copy ends in the middle, or cannot be read")]
    Io(#[from] io::Error),
    /// It begins otherwise.
    #[error("this is no copy of a log, or one of another version")]
    Foreign,
    /// A frame is not as it was written.
    #[error("frame {0} of the log's copy is not as it was written")]
    Frame(u64),
}

/// Writes frames.
pub struct FrameWriter<W> {
    out: W,
    number: u64,
}

impl<W: Write> FrameWriter<W> {
    /// Begins.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self { out, number: 0 })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let content = encode(frame);
        let len = u32::try_from(content.len()).map_err(io::Error::other)?;
        self.out.write_all(&len.to_be_bytes())?;
        self.out.write_all(&sum(self.number, &content))?;
        self.out.write_all(&content)?;
        self.number += 1;
        Ok(())
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Reads frames.
pub struct FrameReader<R> {
    from: R,
    number: u64,
    ended: bool,
}

impl<R: Read> FrameReader<R> {
    /// Begins.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn begin(mut from: R) -> Result<Self, Damaged> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(Damaged::Foreign);
        }
        Ok(Self { from, number: 0, ended: false })
    }

    /// The next frame; `None` after [`Frame::End`].
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(&mut self) -> Result<Option<Frame>, Damaged> {
        if self.ended {
            let more = self.from.read(&mut [0])?;
            return if more == 0 { Ok(None) } else { Err(Damaged::Frame(self.number)) };
        }
        let (mut len, mut expected) = ([0; 4], [0; SUM_BYTES]);
        self.from.read_exact(&mut len)?;
        self.from.read_exact(&mut expected)?;
        let len = u32::from_be_bytes(len) as usize;
        if len > FRAME_BYTES_MAX {
            return Err(Damaged::Frame(self.number));
        }
        let mut content = vec![0; len];
        self.from.read_exact(&mut content)?;
        let frame = Some(content).filter(|content| sum(self.number, content) == expected).and_then(decode);
        let frame = frame.ok_or(Damaged::Frame(self.number))?;
        self.number += 1;
        self.ended = matches!(frame, Frame::End(..));
        Ok(Some(frame))
    }
}

fn sum(number: u64, content: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_be_bytes()).update(content);
    *hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes")
}

fn encode(frame: &Frame) -> Vec<u8> {
    match frame {
        Frame::Conversation(id, tail) => [b"c", &id.as_bytes()[..], &tail.0.to_be_bytes()].concat(),
        Frame::Record(Record { seq, id, head, body }) => {
            let head_len = u32::try_from(head.len()).expect("a record is far smaller than 4 GiB");
            [b"r", &seq.0.to_be_bytes()[..], id.as_bytes(), &head_len.to_be_bytes(), head, body].concat()
        }
        Frame::End(conversations, records) => [b"e", &conversations.to_be_bytes()[..], &records.to_be_bytes()].concat(),
    }
}

fn decode(content: Vec<u8>) -> Option<Frame> {
    let mut content = Bytes::from(content);
    let kind = content.split_to(content.len().min(1));
    match kind.first()? {
        b'c' => {
            let id = ConversationId::from_bytes(take(&mut content)?);
            Some(Frame::Conversation(id, Seq(number(&mut content)?))).filter(|_| content.is_empty())
        }
        b'r' => {
            let seq = Seq(number(&mut content)?);
            let id = CommandId::from_bytes(take(&mut content)?);
            let head_len = u32::from_be_bytes(take(&mut content)?) as usize;
            let head = (head_len <= content.len()).then(|| content.split_to(head_len))?;
            Some(Frame::Record(Record { seq, id, head, body: content }))
        }
        b'e' => Some(Frame::End(number(&mut content)?, number(&mut content)?)).filter(|_| content.is_empty()),
        _ => None,
    }
}

fn number(content: &mut Bytes) -> Option<u64> {
    take(content).map(u64::from_be_bytes)
}

fn take<const N: usize>(content: &mut Bytes) -> Option<[u8; N]> {
    (content.len() >= N).then(|| content.split_to(N)).and_then(|taken| taken.as_ref().try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        let record = |seq| Record {
            seq: Seq(seq),
            id: CommandId::from_bytes([3; 16]),
            head: Bytes::from_static(b"head"),
            body: Bytes::from_static(b"body"),
        };
        let conversation = Frame::Conversation(ConversationId::from_bytes([7; 16]), Seq(2));
        vec![conversation, Frame::Record(record(1)), Frame::Record(record(2)), Frame::End(1, 2)]
    }

    fn written(frames: &[Frame]) -> Vec<u8> {
        let mut writer = FrameWriter::begin(Vec::new()).unwrap();
        frames.iter().for_each(|frame| writer.write(frame).unwrap());
        writer.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Frame>, Damaged> {
        let mut reader = FrameReader::begin(bytes)?;
        let mut all = Vec::new();
        while let Some(frame) = reader.read()? {
            all.push(frame);
        }
        Ok(all)
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&written(&frames())).unwrap(), frames());
    }

    #[test]
    fn no_byte_can_change_and_nothing_can_be_cut_off_unseen() {
        let bytes = written(&frames());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "the byte {at}");
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).is_err());
    }

    #[test]
    fn no_frame_can_be_left_out_or_moved_unseen() {
        let bytes = written(&frames());
        // The two records are equally long and lie behind the conversation's frame.
        let (first, len) = (MAGIC.len() + 12 + 25, 12 + 37);
        let without = [&bytes[..first], &bytes[first + len..]].concat();
        assert!(read(&without).is_err());
        let swapped = [
            &bytes[..first],
            &bytes[first + len..first + 2 * len],
            &bytes[first..first + len],
            &bytes[first + 2 * len..],
        ];
        assert!(read(&swapped.concat()).is_err());
    }
}
