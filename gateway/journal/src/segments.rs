//! The segments of one journal, in order: where a record stands, and what start-up makes of the last one.
//!
//! Owns: the folder `journal/`, cutting a torn tail, and telling it from damage. What is appended is the
//! `writer`'s; what a frame means is `entry`'s.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use crate::disk::Folder;
use crate::error::{Damage, OpenError, ReadError};
use crate::segment::{Form, START, Segment, Step};

/// Where the next frame goes.
pub(crate) struct Tail {
    pub(crate) segment: Segment,
    pub(crate) offset: u64,
    pub(crate) next: u64,
}

/// Where a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// All segments of a journal.
pub(crate) struct Segments {
    folder: Folder,
    all: RwLock<BTreeMap<u64, Segment>>,
}

impl Segments {
    /// Opens every segment and finds the end of the last one. `durable`: the index below which everything is
    /// known to have been flushed, by what was published.
    pub(crate) fn open(folder: Folder, size: u64, durable: u64) -> Result<(Segments, Tail), OpenError> {
        let mut all = BTreeMap::new();
        for name in folder.list()? {
            if name.ends_with(".tmp") {
                folder.remove(&name)?; // what a crash left half made; its name was never given
            } else if Segment::first_of(&name).is_some() {
                let segment = Segment::open(&folder, &name)?;
                all.insert(segment.first, segment);
            }
        }
        if all.is_empty() {
            if durable > 0 {
                let what = format!("{durable} records were published, the journal has none");
                return Err(OpenError::Stale { what });
            }
            let prepared = Segments::prepare(&folder, size)?;
            let segment = Segments::begin(&folder, prepared, 0, size)?;
            all.insert(0, segment);
        }
        let Some(last) = all.values().next_back().cloned() else {
            return Err(io::Error::other("no segment could be made").into());
        };
        let tail = find_end(last, durable)?;
        Ok((Segments { folder, all: RwLock::new(all) }, tail))
    }

    /// Writes the zeros of a segment to come, so that using it needs no metadata flush.
    pub(crate) fn prepare(folder: &Folder, size: u64) -> io::Result<std::sync::Arc<dyn crate::DiskFile>> {
        let file = folder.create("next.tmp")?;
        let zeros = vec![0; 1 << 20];
        let mut offset = 0;
        while offset < size {
            let piece = usize::try_from(size - offset).unwrap_or(usize::MAX).min(zeros.len());
            file.write_at(zeros.get(..piece).unwrap_or_default(), offset)?;
            offset += piece as u64;
        }
        file.sync()?;
        Ok(file)
    }

    /// Gives a prepared segment its header and its name. A crash before the name is durable leaves a
    /// temporary file, in which nothing was acknowledged.
    pub(crate) fn begin(
        folder: &Folder,
        file: std::sync::Arc<dyn crate::DiskFile>,
        first: u64,
        size: u64,
    ) -> io::Result<Segment> {
        file.write_at(&Segment::header(first, Form::Written), 0)?;
        file.sync()?;
        folder.put("next.tmp", &Segment::name(first))?;
        Ok(Segment { first, form: Form::Written, file, size })
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn insert(&self, segment: Segment) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).insert(segment.first, segment);
    }

    /// The segments in order.
    pub(crate) fn list(&self) -> Vec<Segment> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The segment in which a record stands, if it still does.
    pub(crate) fn holding(&self, index: u64) -> Option<Segment> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.range((Bound::Unbounded, Bound::Included(index))).next_back().map(|(_, segment)| segment.clone())
    }

    /// The payload of a record. `hint` is a place at or before it, where looking may begin; a wrong hint costs
    /// time only, for every frame says its own index.
    pub(crate) fn read(&self, index: u64, hint: Option<Place>) -> Result<Vec<u8>, ReadError> {
        let segment = self.holding(index).ok_or(ReadError::NotFound)?;
        let hinted = hint.filter(|place| place.segment == segment.first).map(|place| place.offset);
        let mut broken = None;
        for start in hinted.into_iter().chain([START]) {
            if let Some(offset) = hop(&segment, start, index)? {
                match segment.frame(offset, index)? {
                    Some(payload) => return Ok(payload),
                    None => broken = Some(offset),
                }
            }
        }
        let what = "has no whole frame of this record";
        Err(segment.damage(broken.unwrap_or(START), index, what).into())
    }

    /// Walks over every record from an index on, checking each frame; `hint` as for [`Segments::read`].
    pub(crate) fn replay<E: From<Damage> + From<io::Error>>(
        &self,
        from: u64,
        end: u64,
        hint: Option<Place>,
        visit: &mut Visit<'_, E>,
    ) -> Result<(), E> {
        let segments = self.list();
        for (at, segment) in segments.iter().enumerate() {
            let stop = segments.get(at + 1).map_or(end, |next| next.first).min(end);
            if stop > from {
                walk(segment, from, stop, hint, visit)?;
            }
        }
        Ok(())
    }
}

/// What is done with each record: index, place and payload.
pub(crate) type Visit<'v, E> = dyn FnMut(u64, Place, &[u8]) -> Result<(), E> + 'v;

/// Walks over one segment up to the index `stop`, and insists on reaching it.
fn walk<E: From<Damage> + From<io::Error>>(
    segment: &Segment,
    from: u64,
    stop: u64,
    hint: Option<Place>,
    visit: &mut Visit<'_, E>,
) -> Result<(), E> {
    let (start, mut next) = begin(segment, from, hint)?;
    let mut frames = segment.frames(start);
    while next < stop {
        let offset = match frames.step()? {
            Step::Frame(header, payload, offset) if header.index == next => {
                next += 1;
                if header.index >= from {
                    visit(header.index, Place { segment: segment.first, offset }, payload)?;
                }
                continue;
            }
            Step::Frame(_, _, offset) | Step::End(offset) | Step::Broken(offset) => offset,
        };
        return Err(segment.damage(offset, next, "has a broken or missing frame").into());
    }
    Ok(())
}

/// Where a walk begins, and with which index: at the hint when a frame at or before `from` stands there.
fn begin(segment: &Segment, from: u64, hint: Option<Place>) -> io::Result<(u64, u64)> {
    if let Some(place) = hint.filter(|place| place.segment == segment.first)
        && let Some(header) = segment.peek(place.offset)?
        && header.index <= from
        && segment.frame(place.offset, header.index)?.is_some()
    {
        return Ok((place.offset, header.index));
    }
    Ok((START, segment.first))
}

/// Goes from frame to frame by their lengths until the one with this index.
fn hop(segment: &Segment, start: u64, index: u64) -> io::Result<Option<u64>> {
    let mut offset = start;
    while let Some(header) = segment.peek(offset)? {
        if header.index == index {
            return Ok(Some(offset));
        }
        if header.index > index || header.length == 0 {
            return Ok(None);
        }
        offset += header.frame_len() as u64;
    }
    Ok(None)
}

/// Finds where the last segment ends, and cuts what a crash tore. A frame is torn when it was never
/// acknowledged: nothing published it, and no later frame calls it durable. Else it is damage.
fn find_end(segment: Segment, durable: u64) -> Result<Tail, OpenError> {
    let mut next = segment.first;
    let mut frames = segment.frames(START);
    let (offset, ended) = loop {
        match frames.step()? {
            Step::Frame(header, _, _) if header.index == next => next += 1,
            Step::End(offset) => break (offset, true),
            Step::Frame(_, _, offset) | Step::Broken(offset) => break (offset, false),
        }
    };
    if durable > next && ended {
        let what = format!("{durable} records were published, the journal ends at {next}");
        return Err(OpenError::Stale { what });
    }
    if durable > next {
        return Err(segment.damage(offset, next, "has a broken frame that had been published").into());
    }
    if frames.later_calls_durable(offset, next)? {
        return Err(segment.damage(offset, next, "has a broken frame before later, durable ones").into());
    }
    cut(&segment, offset)?;
    Ok(Tail { segment, offset, next })
}

/// Overwrites everything from here with zeros: an old torn frame must never follow a new one.
fn cut(segment: &Segment, from: u64) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let mut buffer = vec![0; PIECE];
    let zeros = vec![0; PIECE];
    let mut offset = from;
    let mut dirty = false;
    while offset < segment.size {
        let read = segment.file.read_at(&mut buffer, offset)?;
        if read == 0 {
            break;
        }
        if buffer.iter().take(read).any(|byte| *byte != 0) {
            segment.file.write_at(zeros.get(..read).unwrap_or_default(), offset)?;
            dirty = true;
        }
        offset += read as u64;
    }
    if dirty { segment.file.sync() } else { Ok(()) }
}
