//! The file: lines of JSON, packed by xz or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use anyhow::Context;
use liblzma::bufread::XzDecoder;

/// How an xz file begins.
const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
/// LIMIT: bytes of a line. What is longer is no line of a chat.
pub const LINE_BYTES_MAX: u64 = 1024 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// Opens a file of lines; what is packed is unpacked as it is read.
///
/// # Errors
/// A sentence that says what to do.
pub fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let unread = || format!("the file {} cannot be read", path.display());
    let mut file = File::open(path).with_context(unread)?;
    let mut start = Vec::new();
    (&mut file).take(XZ.len() as u64).read_to_end(&mut start).with_context(unread)?;
    file.rewind().with_context(unread)?;
    let file = BufReader::with_capacity(BUFFER_BYTES, file);
    if start == XZ {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, XzDecoder::new_multi_decoder(file))));
    }
    Ok(Box::new(file))
}

/// How many lines there are: read once in advance, which takes a moment and tells how long the rest will take.
///
/// # Errors
/// It cannot be read, or unpacked.
pub fn count(path: &Path) -> anyhow::Result<u64> {
    let mut lines = open(path)?;
    let mut count = 0;
    while next(&mut *lines, path)?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// The next line, without its end; `None` after the last.
///
/// # Errors
/// It cannot be read, or unpacked, or is longer than any line.
pub fn next(lines: &mut dyn BufRead, path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = lines.take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line);
    read.with_context(|| format!("the file {} cannot be read to its end", path.display()))?;
    if line.len() as u64 > LINE_BYTES_MAX {
        anyhow::bail!("{} holds a line of more than {LINE_BYTES_MAX} bytes; is it a file of lines?", path.display());
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(bytes: &[u8]) -> anyhow::Result<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let counted = count(&path)?;
        let (mut file, mut all) = (open(&path)?, Vec::new());
        while let Some(line) = next(&mut *file, &path)? {
            all.push(String::from_utf8(line).unwrap());
        }
        assert_eq!(counted, all.len() as u64);
        Ok(all)
    }

    #[test]
    fn packed_or_not_the_lines_are_the_same() {
        let plain = b"one\n\nthree, without an end";
        let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 6);
        packer.write_all(plain).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(lines(plain).unwrap(), ["one", "", "three, without an end"]);
        assert_eq!(lines(&packed).unwrap(), lines(plain).unwrap());
        assert!(lines(&packed[..packed.len() - 4]).is_err(), "cut off");
        assert!(lines(&vec![b'x'; LINE_BYTES_MAX as usize + 1]).is_err(), "no file of lines");
        assert_eq!(lines(b"").unwrap(), Vec::<String>::new());
    }
}
