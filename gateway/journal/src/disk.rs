//! The file layer: the few operations on files that durability rests on, behind one small trait.
//!
//! Owns: what "written", "flushed" and "replaced" mean. Nothing else in this crate touches `std::fs` for truth
//! (sled has its own files, and holds views only). Tests put a layer here that fails, or that loses what was
//! not flushed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder tree. What is promised: a name (created, renamed, removed) survives a power cut only after
/// [`Disk::sync_dir`] of its folder.
pub trait Disk: Send + Sync + 'static {
    /// Makes a folder and its parents; fine when it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// The names of the files and folders in a folder, in no order; none when the folder does not exist.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens a file for reading and writing; with `create`, an empty one in place of what was there.
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, in place of what had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Keeps every other process off until the answer is dropped; makes the file when there is none.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file. What is promised: bytes survive a power cut only after [`DiskFile::sync`].
pub trait DiskFile: Send + Sync {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes, past the end if need be.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable (`fdatasync`: the length too, when it changed).
    fn sync(&self) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// The machine's own files. New files are readable by their owner only.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

struct RealFile(File);

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).truncate(create).mode(0o600);
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::Error::other("another gateway uses this data folder"),
            std::fs::TryLockError::Error(error) => error,
        })?;
        Ok(Box::new(file))
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// One folder on a disk: the paths of this crate are relative to it.
#[derive(Clone)]
pub(crate) struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<Folder> {
        let folder = Folder { disk, path };
        folder.disk.create_dir(&folder.path)?;
        folder.sync_parents()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn inside(&self, name: &str) -> io::Result<Folder> {
        Folder::new(Arc::clone(&self.disk), self.path.join(name))
    }

    pub(crate) fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list(&self.path)
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&self.path.join(name), false)
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&self.path.join(name), true)
    }

    /// The whole content of a file, or nothing when there is no such file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.open(name) {
            Ok(file) => read_all(file.as_ref()).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a file in place of another, so that after a crash there is the old or the new one, whole.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{name}.tmp");
        let file = self.create(&temporary)?;
        file.write_at(bytes, 0)?;
        file.sync()?;
        self.put(&temporary, name)
    }

    /// Gives a finished temporary file its name, durably.
    pub(crate) fn put(&self, temporary: &str, name: &str) -> io::Result<()> {
        let target = self.path.join(name);
        self.disk.rename(&self.path.join(temporary), &target)?;
        self.disk.sync_dir(target.parent().unwrap_or(&self.path))
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(&self.path.join(name))?;
        self.disk.sync_dir(&self.path)
    }

    /// Makes a folder below this one, every new name on the way durable.
    pub(crate) fn make_inside(&self, below: &str) -> io::Result<()> {
        let mut folder = self.clone();
        for name in below.split('/').filter(|name| !name.is_empty()) {
            folder = folder.inside(name)?;
        }
        Ok(())
    }

    /// Writes a temporary file beside `path`, flushed, without its name yet.
    pub(crate) fn write_temporary(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.create(&format!("{path}.tmp"))?;
        file.write_at(bytes, 0)?;
        file.sync()
    }

    /// Gives a temporary file its name; durable once its folder is flushed.
    pub(crate) fn name_temporary(&self, path: &str) -> io::Result<()> {
        self.disk.rename(&self.path.join(format!("{path}.tmp")), &self.path.join(path))
    }

    pub(crate) fn sync_inside(&self, below: &str) -> io::Result<()> {
        self.disk.sync_dir(&self.path.join(below))
    }

    pub(crate) fn list_inside(&self, below: &str) -> io::Result<Vec<String>> {
        self.disk.list(&self.path.join(below))
    }

    pub(crate) fn remove_inside(&self, below: &str, name: &str) -> io::Result<()> {
        self.disk.remove(&self.path.join(below).join(name))
    }

    /// The folder's own name must be as durable as what is put in it.
    fn sync_parents(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.disk.sync_dir(parent),
            _ => Ok(()),
        }
    }
}

pub(crate) fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
