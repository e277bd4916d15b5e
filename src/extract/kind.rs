//! Which format a file is in: by its first bytes, then by its extension.

/// A format that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Word before 2007.
    Doc,
    Docx,
    Epub,
    Gzip,
    /// A message as it is sent.
    Mail,
    /// Messages one after the other.
    Mailbox,
    /// Texts and presentations.
    OpenDocument,
    OutlookMessage,
    Pdf,
    /// PowerPoint before 2007.
    Ppt,
    Pptx,
    Rtf,
    Tar,
    /// Excel, old and new, and OpenDocument spreadsheets.
    Workbook,
    Xz,
    Zip,
    Zstd,
}

/// How many bytes of a file say what it is.
pub(crate) const HEAD_BYTES: usize = 8 << 10;

/// What all files that are made of OLE streams begin with.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

const MAGIC: &[(&[u8], Kind)] = &[
    (b"\x1f\x8b", Kind::Gzip),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"{\\rtf", Kind::Rtf),
    (b"PK\x03\x04", Kind::Zip),
    // Without entries, and in parts.
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x07\x08", Kind::Zip),
];

const EXTENSIONS: &[(&str, Kind)] = &[
    ("doc", Kind::Doc),
    ("docm", Kind::Docx),
    ("docx", Kind::Docx),
    ("dot", Kind::Doc),
    ("dotx", Kind::Docx),
    ("eml", Kind::Mail),
    ("emlx", Kind::Mail),
    ("epub", Kind::Epub),
    ("gz", Kind::Gzip),
    ("mbox", Kind::Mailbox),
    ("mbx", Kind::Mailbox),
    ("mht", Kind::Mail),
    ("mhtml", Kind::Mail),
    ("msg", Kind::OutlookMessage),
    ("odp", Kind::OpenDocument),
    ("ods", Kind::Workbook),
    ("odt", Kind::OpenDocument),
    ("ott", Kind::OpenDocument),
    ("pdf", Kind::Pdf),
    ("ppt", Kind::Ppt),
    ("pptm", Kind::Pptx),
    ("pptx", Kind::Pptx),
    ("rtf", Kind::Rtf),
    ("tar", Kind::Tar),
    ("tgz", Kind::Gzip),
    ("txz", Kind::Xz),
    ("xls", Kind::Workbook),
    ("xlsb", Kind::Workbook),
    ("xlsm", Kind::Workbook),
    ("xlsx", Kind::Workbook),
    ("xz", Kind::Xz),
    ("zip", Kind::Zip),
    ("zst", Kind::Zstd),
];

impl Kind {
    /// The kind of a file by its first [`HEAD_BYTES`] and its lower-case extension. `None` if it is text, or nothing
    /// that this room knows.
    ///
    /// What begins as a zip file may be one of several formats: `zip::kind_inside` looks.
    pub(crate) fn of(head: &[u8], extension: &str) -> Option<Kind> {
        let named = EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|&(_, kind)| kind);
        let marked = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, kind)| kind);
        if let Some(marked) = marked {
            return Some(
                named
                    .filter(|named| *named == marked || named.is_zip() && marked == Kind::Zip)
                    .unwrap_or(marked),
            );
        }
        if head.starts_with(OLE) {
            return named.filter(|named| named.is_ole()).or(Some(Kind::Doc));
        }
        // Producers put up to a kilobyte of anything before it.
        if head[..head.len().min(1024)].windows(5).any(|bytes| bytes == b"%PDF-") {
            return Some(Kind::Pdf);
        }
        if head.get(257..262) == Some(b"ustar") {
            return Some(Kind::Tar);
        }
        match named? {
            // These are text: nothing else tells them from it.
            Kind::Mail => Some(Kind::Mail),
            Kind::Mailbox => Some(Kind::Mailbox),
            // Archives from before 1988 have no mark.
            Kind::Tar => Some(Kind::Tar),
            named => head.contains(&0).then_some(named),
        }
    }

    /// Such as `PDF`, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Doc => "a Word document of the old format",
            Kind::Docx => "a Word document",
            Kind::Epub => "an EPUB book",
            Kind::Gzip => "a gzip file",
            Kind::Mail => "a message",
            Kind::Mailbox => "a mailbox",
            Kind::OpenDocument => "an OpenDocument file",
            Kind::OutlookMessage => "an Outlook message",
            Kind::Pdf => "PDF",
            Kind::Ppt => "a PowerPoint presentation of the old format",
            Kind::Pptx => "a PowerPoint presentation",
            Kind::Rtf => "Rich Text Format",
            Kind::Tar => "a tar archive",
            Kind::Workbook => "a workbook",
            Kind::Xz => "an xz file",
            Kind::Zip => "a zip archive",
            Kind::Zstd => "a Zstandard file",
        }
    }

    /// Whether anything reads it.
    pub(crate) fn is_read(self) -> bool {
        self != Kind::Ppt
    }

    /// Whether it holds other files and is not in memory as a whole when it is read.
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Kind::Gzip | Kind::Mailbox | Kind::Tar | Kind::Xz | Kind::Zip | Kind::Zstd)
    }

    fn is_zip(self) -> bool {
        matches!(self, Kind::Docx | Kind::Epub | Kind::OpenDocument | Kind::Pptx | Kind::Workbook)
    }

    fn is_ole(self) -> bool {
        matches!(self, Kind::Doc | Kind::OutlookMessage | Kind::Ppt | Kind::Workbook)
    }
}

/// The lower-case extension of a path with `/` separators; empty if there is none.
pub(crate) fn extension_of(path: &str) -> String {
    let name = file_name_of(path);
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// The part after the last `/`.
pub(crate) fn file_name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
