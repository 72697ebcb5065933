//! One segment file: a header of 64 bytes, then frames, then zeros.
//!
//! Owns: the version of the file's form, and walking over its frames. A segment is written with zeros before it
//! is used, so that a flush has no metadata to write. One that `compact` rewrote says so, and whether it may
//! have anything more to leave out. Which segments there are is `segments`.

use std::io;
use std::sync::Arc;

use crate::disk::{DiskFile, Folder};
use crate::error::Damage;
use crate::frame::{ALIGNMENT, Found, HEADER, Header, look};

/// Where the first frame stands.
pub(crate) const START: u64 = 64;

const MAGIC: &[u8; 8] = b"veldwjnl";
const VERSION: u32 = 1;
const WINDOW: usize = 1 << 20;

/// What became of a segment after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the writer left it.
    Written,
    /// Rewritten without the documents that nobody waited for any more.
    Carried,
    /// Rewritten, and no document is left.
    Settled,
}

impl Form {
    const ALL: [Form; 3] = [Form::Written, Form::Carried, Form::Settled];
}

/// A segment that is open.
#[derive(Clone)]
pub(crate) struct Segment {
    /// The index of its first frame; also its name.
    pub(crate) first: u64,
    pub(crate) form: Form,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) size: u64,
}

impl Segment {
    /// The name of the segment that begins with this index.
    pub(crate) fn name(first: u64) -> String {
        format!("{first:020}.seg")
    }

    /// The first index of the segment with this name, if it is one.
    pub(crate) fn first_of(name: &str) -> Option<u64> {
        name.strip_suffix(".seg").filter(|digits| digits.len() == 20)?.parse().ok()
    }

    /// The header's bytes: magic 8 · version u32 · form u32 · first u64 · crc u32.
    pub(crate) fn header(first: u64, form: Form) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(START as usize);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(form as u32).to_le_bytes());
        bytes.extend_from_slice(&first.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.resize(START as usize, 0);
        bytes
    }

    /// Opens the segment with this name and checks its header.
    pub(crate) fn open(folder: &Folder, name: &str) -> Result<Segment, Damage> {
        let at = |what| Damage { file: name.to_owned(), offset: 0, index: None, what };
        let first = Segment::first_of(name).ok_or_else(|| at("is not the name of a segment"))?;
        let file = folder.open(name).map_err(|error| Damage::unread(name, &error))?;
        let size = file.len().map_err(|error| Damage::unread(name, &error))?;
        let mut bytes = [0; START as usize];
        file.read_at(&mut bytes, 0).map_err(|error| Damage::unread(name, &error))?;
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| at("has no header"))?;
        if magic != MAGIC {
            return Err(at("has no header of a journal segment"));
        }
        let form = Form::ALL.into_iter().find(|form| Segment::header(first, *form) == bytes);
        match (form, rest.first_chunk::<4>().map(|version| u32::from_le_bytes(*version))) {
            (Some(form), _) => Ok(Segment { first, form, file, size }),
            (None, Some(VERSION)) => Err(at("has a damaged header, or another segment's name")),
            (None, _) => Err(at("is of another version: use the gateway that wrote it")),
        }
    }

    /// Damage at a place of this segment.
    pub(crate) fn damage(&self, offset: u64, index: u64, what: &'static str) -> Damage {
        Damage { file: Segment::name(self.first), offset, index: Some(index), what }
    }

    /// Reads the header of the frame at this place, unchecked.
    pub(crate) fn peek(&self, offset: u64) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER];
        self.file.read_at(&mut bytes, offset)?;
        Ok(Header::read(&bytes).map(|(header, _)| header))
    }

    /// Reads the whole frame at this place and checks it; `None` when it is not one with this index.
    pub(crate) fn frame(&self, offset: u64, index: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(header) = self.peek(offset)?.filter(|header| header.index == index) else { return Ok(None) };
        if offset.saturating_add(header.frame_len() as u64) > self.size {
            return Ok(None);
        }
        let mut bytes = vec![0; header.frame_len()];
        self.file.read_at(&mut bytes, offset)?;
        let whole = matches!(look(&bytes), Found::Frame(..));
        bytes.truncate(HEADER + header.length as usize);
        Ok(whole.then(|| bytes.split_off(HEADER)))
    }

    /// Walks over the frames from an offset at which one stands; [`START`] for the first.
    pub(crate) fn frames(&self, offset: u64) -> Frames {
        Frames { segment: self.clone(), offset, window: Vec::new(), window_at: 0 }
    }
}

/// What a walk comes across.
pub(crate) enum Step<'a> {
    /// A whole frame and where it stands.
    Frame(Header, &'a [u8], u64),
    /// Nothing more was written from here on.
    End(u64),
    /// Bytes that are no frame.
    Broken(u64),
}

/// A walk over the frames of a segment, reading large pieces at a time.
pub(crate) struct Frames {
    segment: Segment,
    offset: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl Frames {
    /// The next frame, or how the walk ends.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        let offset = self.offset;
        self.fill(offset, HEADER)?;
        let length = Header::read(self.at(offset)).map_or(HEADER, |(header, _)| header.frame_len());
        if offset.saturating_add(length as u64) <= self.segment.size {
            self.fill(offset, length)?;
        }
        let from = usize::try_from(offset.saturating_sub(self.window_at)).unwrap_or(usize::MAX);
        match look(self.window.get(from..).unwrap_or_default()) {
            Found::Frame(header, payload) => {
                self.offset = offset + header.frame_len() as u64;
                Ok(Step::Frame(header, payload, offset))
            }
            Found::End => Ok(Step::End(offset)),
            Found::Broken => Ok(Step::Broken(offset)),
        }
    }

    /// Whether some frame beyond a broken place says that the frame with this index had been flushed.
    pub(crate) fn later_calls_durable(&mut self, from: u64, index: u64) -> io::Result<bool> {
        let mut offset = from;
        while offset + HEADER as u64 <= self.segment.size {
            self.fill(offset, HEADER)?;
            let header = Header::read(self.at(offset)).map(|(header, _)| header);
            let plausible = header.filter(|header| header.index >= header.durable && header.durable > index);
            if let Some(header) = plausible
                && self.segment.frame(offset, header.index)?.is_some()
            {
                return Ok(true);
            }
            offset += ALIGNMENT as u64;
        }
        Ok(false)
    }

    fn at(&self, offset: u64) -> &[u8] {
        let from = usize::try_from(offset.saturating_sub(self.window_at)).unwrap_or(usize::MAX);
        self.window.get(from..).unwrap_or_default()
    }

    fn fill(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let end = self.window_at + self.window.len() as u64;
        let wanted = offset.saturating_add(length as u64).min(self.segment.size);
        if offset >= self.window_at && wanted <= end {
            return Ok(());
        }
        let room = usize::try_from(self.segment.size.saturating_sub(offset)).map_err(io::Error::other)?;
        self.window.resize(length.max(WINDOW).min(room), 0);
        let read = self.segment.file.read_at(&mut self.window, offset)?;
        self.window.truncate(read);
        self.window_at = offset;
        Ok(())
    }
}
