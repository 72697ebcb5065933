//! Flat files: what views know of every record, or of every bundle, at a place that its number gives.
//!
//! Owns: cells of one width, `value · crc32c`, in one file. Most bytes of the views are such: as keys of sled they would
//! be read again at every start after a crash, for sled looks through all that it wrote since it was opened. A
//! cell of zeros was never written. Nothing in it counts before [`Flat::sync`] and the index that sled keeps.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

/// Where the cells are.
enum Backing {
    File(File),
    /// For views that are gone with their process.
    Memory(RwLock<Vec<u8>>),
}

/// One flat file.
pub(super) struct Flat {
    backing: Backing,
    /// Bytes of a value.
    width: usize,
}

impl Flat {
    /// Opens the file of this name, or makes it; without a folder it is kept in memory.
    pub(super) fn open(folder: Option<&Path>, name: &str, width: usize) -> io::Result<Flat> {
        let backing = match folder {
            Some(folder) => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(true).truncate(false).mode(0o600);
                Backing::File(options.open(folder.join(name))?)
            }
            None => Backing::Memory(RwLock::default()),
        };
        Ok(Flat { backing, width })
    }

    /// How many cells there are, written or not.
    pub(super) fn cells(&self) -> io::Result<u64> {
        let length = match &self.backing {
            Backing::File(file) => file.metadata()?.len(),
            Backing::Memory(bytes) => bytes.read().unwrap_or_else(PoisonError::into_inner).len() as u64,
        };
        Ok(length / self.cell() as u64)
    }

    /// The value in a cell; none when nothing was ever put there.
    pub(super) fn get(&self, number: u64) -> io::Result<Option<Vec<u8>>> {
        const LOOKS: usize = 3;
        let mut cell = vec![0; self.cell()];
        for look in 1.. {
            if self.read(&mut cell, number)? < cell.len() {
                break;
            }
            match self.value(&cell) {
                Ok(value) => return Ok(value.map(<[u8]>::to_vec)),
                Err(error) if look == LOOKS => return Err(error),
                Err(_) => std::thread::yield_now(), // it may be being written just now
            }
        }
        Ok(None)
    }

    /// Puts a value into a cell. Not durable yet.
    pub(super) fn put(&self, number: u64, value: &[u8]) -> io::Result<()> {
        let mut cell = Vec::with_capacity(self.cell());
        cell.extend_from_slice(value);
        cell.resize(self.width, 0);
        cell.extend_from_slice(&crc32c::crc32c(&cell).to_le_bytes());
        let offset = number * self.cell() as u64;
        match &self.backing {
            Backing::File(file) => file.write_all_at(&cell, offset),
            Backing::Memory(bytes) => {
                let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
                let offset = usize::try_from(offset).map_err(io::Error::other)?;
                let end = offset + cell.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes.iter_mut().skip(offset).zip(cell).for_each(|(to, from)| *to = from);
                Ok(())
            }
        }
    }

    /// Makes what was put durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.backing {
            Backing::File(file) => file.sync_data(),
            Backing::Memory(_) => Ok(()),
        }
    }

    /// Visits every cell before `end` that was written, in order.
    pub(super) fn each(&self, end: u64, visit: &mut dyn FnMut(u64, &[u8])) -> io::Result<()> {
        let at_once = (1 << 20) / self.cell();
        let mut cells = vec![0; at_once * self.cell()];
        let mut number = 0;
        while number < end {
            let read = self.read(&mut cells, number)?;
            for cell in cells.get(..read).unwrap_or_default().chunks_exact(self.cell()) {
                match self.value(cell) {
                    _ if number >= end => break,
                    Ok(value) => value.into_iter().for_each(|value| visit(number, value)),
                    Err(_) => self.get(number)?.iter().for_each(|value| visit(number, value)),
                }
                number += 1;
            }
            if read < cells.len() {
                break;
            }
        }
        Ok(())
    }

    fn cell(&self) -> usize {
        self.width + 4
    }

    fn value<'c>(&self, cell: &'c [u8]) -> io::Result<Option<&'c [u8]>> {
        let (value, crc) = cell.split_at_checked(self.width).unwrap_or_default();
        if crc32c::crc32c(value).to_le_bytes() == crc {
            return Ok(Some(value));
        }
        let blank = cell.iter().all(|byte| *byte == 0);
        let broken = || io::Error::other("a view is broken: delete the folder `views`");
        if blank { Ok(None) } else { Err(broken()) }
    }

    fn read(&self, buffer: &mut [u8], number: u64) -> io::Result<usize> {
        let offset = number * self.cell() as u64;
        let mut done = 0;
        match &self.backing {
            Backing::File(file) => {
                while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
                    match file.read_at(rest, offset + done as u64)? {
                        0 => break,
                        read => done += read,
                    }
                }
            }
            Backing::Memory(bytes) => {
                let bytes = bytes.read().unwrap_or_else(PoisonError::into_inner);
                let offset = usize::try_from(offset).map_err(io::Error::other)?;
                for (to, from) in buffer.iter_mut().zip(bytes.get(offset..).unwrap_or_default()) {
                    *to = *from;
                    done += 1;
                }
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_as_it_was_put_and_one_that_never_was_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for folder in [Some(folder.path()), None] {
            let flat = Flat::open(folder, "flat", 16).unwrap();
            flat.put(70_000, &[7; 16]).unwrap();
            flat.put(2, &[0; 16]).unwrap();
            assert_eq!(
                (flat.get(70_000).unwrap(), flat.get(2).unwrap()),
                (Some(vec![7; 16]), Some(vec![0; 16]))
            );
            assert_eq!((flat.get(3).unwrap(), flat.get(70_001).unwrap()), (None, None));
            let mut seen = Vec::new();
            flat.each(u64::MAX, &mut |number, value| seen.push((number, value.to_vec()))).unwrap();
            assert_eq!(seen, [(2, vec![0; 16]), (70_000, vec![7; 16])]);
            assert_eq!(flat.cells().unwrap(), 70_001);
        }
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        Flat::open(Some(folder.path()), "flat", 16).unwrap().put(0, &[7; 16]).unwrap();
        let path = folder.path().join("flat");
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut broken = whole.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &broken).unwrap();
            assert!(Flat::open(Some(folder.path()), "flat", 16).unwrap().get(0).is_err(), "bit {bit}");
        }
    }
}
