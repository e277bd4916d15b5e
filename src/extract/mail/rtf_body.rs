//! How Outlook compresses the RTF of a message (MS-OXRTFCP).

use super::super::Unreadable;

/// What the window begins with: what each document begins with, nearly.
const WINDOW: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \
\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\
\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

const WINDOW_BYTES: usize = 4096;

const MOST_BYTES: usize = 64 << 20;

/// The RTF in a stream of compressed RTF.
pub(super) fn decompressed(stream: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let number =
        |at: usize| stream.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let (Some(kind), Some(body)) = (number(8), stream.get(16..)) else {
        return Err(Unreadable::Malformed("expected compressed RTF, found less than its header".into()));
    };
    match &kind.to_le_bytes() {
        b"MELA" => Ok(body.to_vec()),
        b"LZFu" => Ok(unpacked(body)),
        found => {
            let found = String::from_utf8_lossy(found).into_owned();
            Err(Unreadable::Malformed(format!("expected compressed RTF, found the mark {found:?}")))
        }
    }
}

/// Each bit of a control byte says whether a byte follows, or where in the window a run begins and how long it is.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut window = [0u8; WINDOW_BYTES];
    window[..WINDOW.len()].copy_from_slice(WINDOW);
    let mut at = WINDOW.len();
    let mut out = Vec::new();
    let mut rest = packed.iter().copied();
    while let Some(control) = rest.next() {
        for bit in 0..8 {
            let Some(first) = rest.next() else { return out };
            let (start, length) = match control >> bit & 1 {
                0 => {
                    out.push(first);
                    window[at] = first;
                    at = (at + 1) % WINDOW_BYTES;
                    continue;
                }
                _ => {
                    let Some(second) = rest.next() else { return out };
                    let run = usize::from(u16::from_be_bytes([first, second]));
                    (run >> 4, (run & 15) + 2)
                }
            };
            // A run from where writing goes on is the end.
            if start == at || out.len() > MOST_BYTES {
                return out;
            }
            for step in 0..length {
                let byte = window[(start + step) % WINDOW_BYTES];
                out.push(byte);
                window[at] = byte;
                at = (at + 1) % WINDOW_BYTES;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of MS-OXRTFCP, 4.1 and 4.2.
    #[test]
    fn the_examples_of_the_specification_are_read() {
        let simple = b"\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\
            \x31\x32\x35\x42\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0";
        let expected = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
        assert_eq!(decompressed(simple).unwrap(), expected);
        let crossing = b"\x1a\x00\x00\x00\x1c\x00\x00\x00\x4c\x5a\x46\x75\xe2\xd4\x4b\x51\x41\x00\x04\x20\
            \x57\x58\x59\x5a\x0d\x6e\x7d\x01\x0e\xb0";
        assert_eq!(decompressed(crossing).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }

    #[test]
    fn what_is_no_compressed_rtf_is_refused() {
        assert!(decompressed(b"short").is_err());
        assert!(decompressed(&[b'x'; 40]).is_err());
    }
}
