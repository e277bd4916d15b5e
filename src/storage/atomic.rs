//! Atomic replacement of files and folders.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces the file `path` by `bytes`. After a crash it has either the old or the new content.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut builder = tempfile::Builder::new();
    // The default mode would lock out readers of other users.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    replace(path, &mut builder, |file| {
        share_with_writers(file, parent(path)).map_err(Error::io("set the permissions of", path))?;
        file.write_all(bytes).map_err(Error::io("write", path))
    })
}

/// As [`write_atomic`], with a file for its owner alone, and for whoever may write into its folder.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, &mut tempfile::Builder::new(), |file| {
        share_with_writers(file, parent(path)).map_err(Error::io("set the permissions of", path))?;
        file.write_all(bytes).map_err(Error::io("write", path))
    })
}

fn replace(
    path: &Path,
    builder: &mut tempfile::Builder<'_, '_>,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<()> {
    let folder = parent(path);
    let made = builder.prefix(".tmp-").tempfile_in(folder);
    let mut file = made.map_err(Error::io("create a temporary file in", folder))?;
    write(file.as_file_mut())?;
    file.as_file().sync_all().map_err(Error::io("sync", path))?;
    file.persist(path).map_err(|e| Error::io("replace", path)(e.error))?;
    sync_folder(folder)
}

/// As [`write_atomic`], with content that `write` streams, for files too large for memory.
///
/// The unfinished content is a file next to `path` with a fixed name, so crashes leave at most one such file. See
/// [`remove_unfinished`].
pub(crate) fn write_large(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let unfinished = unfinished(path);
    let written = File::create(&unfinished).and_then(|file| {
        share_with_writers(&file, parent(path))?;
        let mut buffered = BufWriter::with_capacity(1 << 20, file);
        write(&mut buffered)?;
        buffered.into_inner()?.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if let Err(error) = written {
        let _ = fs::remove_file(&unfinished); // Report the first error.
        return Err(Error::io("write", path)(error));
    }
    sync_folder(parent(path))
}

/// Lets everybody with write access to `folder` read and write a new file in it, regardless of this process's umask.
pub(crate) fn share_with_writers(file: &File, folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode_of = |metadata: fs::Metadata| metadata.permissions().mode();
        let (folder, mode) = (mode_of(fs::metadata(folder)?), mode_of(file.metadata()?));
        let shared = [0o020, 0o002].into_iter().filter(|write| folder & write != 0).map(|write| write * 3);
        let wanted = shared.fold(mode, |mode, read_and_write| mode | read_and_write);
        if wanted != mode {
            file.set_permissions(fs::Permissions::from_mode(wanted))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (file, folder);
    Ok(())
}

/// Renames a file within its folder, which the caller syncs if it must.
pub(crate) fn rename_file(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io("rename", from))
}

/// Whether this process may create files in a folder. Leaves nothing in it.
pub(crate) fn is_writable(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

/// Removes a file, and unfinished content that a crash left next to it. It need not exist.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    remove_unfinished(path)?;
    match fs::remove_file(path) {
        Ok(()) => sync_folder(parent(path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("remove", path)(e)),
    }
}

/// Removes unfinished content that a crash during [`write_large`] left.
pub(crate) fn remove_unfinished(path: &Path) -> Result<()> {
    let path = unfinished(path);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &path)(e)),
        _ => Ok(()),
    }
}

/// The path of the unfinished file of [`write_large`] or folder of [`write_folder`].
fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension("unfinished")
}

/// Copies a folder with everything in it, except names that `skip` picks, into a new or existing one. Not durable yet:
/// see [`publish_folder`].
pub(crate) fn copy_folder(from: &Path, to: &Path, skip: &dyn Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::io("list", from))? {
        let path = entry.map_err(Error::io("list", from))?.path();
        let name = path.file_name().unwrap_or_default();
        if skip(&name.to_string_lossy()) {
            continue;
        }
        match path.is_dir() {
            true => copy_folder(&path, &to.join(name), skip)?,
            false => fs::copy(&path, to.join(name)).map(drop).map_err(Error::io("copy", &path))?,
        }
    }
    Ok(())
}

/// Syncs every file in the folder `from` and moves it to `to`, which must not exist.
pub(crate) fn publish_folder(from: &Path, to: &Path) -> Result<()> {
    sync_tree(from)?;
    fs::rename(from, to).map_err(Error::io("publish the folder", to))?;
    sync_folder(parent(to))
}

/// Has `fill` write a folder that then appears at `to`, whole or not at all. Folders above it are created. `what` it is
/// stands in the error.
///
/// # Errors
/// [`Error::Invalid`] if there is something at `to`; those of `fill`.
pub(crate) fn write_folder(
    to: &Path,
    what: &'static str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    if to.symlink_metadata().is_ok() {
        let found = format!("{}, which exists", to.display());
        return Err(Error::invalid(what, found, "a path with nothing there"));
    }
    let draft = unfinished(to);
    remove_folder(&draft)?;
    fs::create_dir_all(&draft).map_err(Error::io("create the folder", &draft))?;
    let written = fill(&draft).and_then(|()| publish_folder(&draft, to));
    if written.is_err() {
        // Report the first error.
        let _ = remove_folder(&draft);
    }
    written
}

/// Syncs every file in the folder `from` and puts it in the place of the folder `to`. After a crash between its two
/// renames there is no `to`, until [`restore_folder`] has put it back.
pub(crate) fn replace_folder(from: &Path, to: &Path) -> Result<()> {
    sync_tree(from)?;
    let replaced = replaced(to);
    remove_folder(&replaced)?;
    fs::rename(to, &replaced).map_err(Error::io("set aside the folder", to))?;
    fs::rename(from, to).map_err(Error::io("publish the folder", to))?;
    sync_folder(parent(to))?;
    remove_folder(&replaced)
}

/// Completes or undoes a [`replace_folder`] that a crash interrupted: `path` is then the old folder or the new one,
/// whole.
pub(crate) fn restore_folder(path: &Path) -> Result<()> {
    let replaced = replaced(path);
    if !replaced.exists() {
        return Ok(());
    }
    if path.exists() {
        return remove_folder(&replaced);
    }
    fs::rename(&replaced, path).map_err(Error::io("put back the folder", path))?;
    sync_folder(parent(path))
}

/// The path to which [`replace_folder`] moves a folder aside.
fn replaced(path: &Path) -> PathBuf {
    path.with_added_extension("replaced")
}

/// Removes a folder and its content. It need not exist.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Ok(()) => sync_folder(parent(path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("remove the folder", path)(e)),
    }
}

/// Makes the content of a file durable.
pub(crate) fn sync_file(path: &Path) -> Result<()> {
    // Windows syncs only files open for writing. Elsewhere this also syncs folders, which can't be open for writing.
    let file = File::options().read(true).write(cfg!(windows)).open(path);
    file.and_then(|file| file.sync_all()).map_err(Error::io("sync", path))
}

/// Makes the content of an open file durable.
pub(crate) fn sync_open_file(file: &File, path: &Path) -> Result<()> {
    file.sync_data().map_err(Error::io("sync", path))
}

/// Makes the entries of a folder durable: files created, renamed or removed in it.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    // Windows can't sync folders, but it journals renames.
    if cfg!(unix) { sync_file(path) } else { Ok(()) }
}

/// Makes `path` and every file and folder below it durable.
pub(crate) fn sync_tree(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        let kind = entry.file_type().map_err(Error::io("inspect", path))?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            sync_file(&entry.path())?;
        }
    }
    sync_folder(path)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_whole_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pointer");
        write_atomic(&path, b"a longer first content").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_and_a_crash_on_the_way_is_undone() {
        let dir = tempfile::tempdir().unwrap();
        let (new, folder) = (dir.path().join("new"), dir.path().join("folder"));
        let make = |path: &Path, content: &str| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), content).unwrap();
        };
        let content = || fs::read_to_string(folder.join("file")).unwrap();
        make(&folder, "one");
        make(&new, "two");
        replace_folder(&new, &folder).unwrap();
        restore_folder(&folder).unwrap();
        assert_eq!((content(), fs::read_dir(dir.path()).unwrap().count()), ("two".to_owned(), 1));
        // A crash between the renames, and one before the old folder was removed.
        fs::rename(&folder, dir.path().join("folder.replaced")).unwrap();
        restore_folder(&folder).unwrap();
        assert_eq!(content(), "two");
        make(&dir.path().join("folder.replaced"), "older");
        restore_folder(&folder).unwrap();
        assert_eq!((content(), fs::read_dir(dir.path()).unwrap().count()), ("two".to_owned(), 1));
    }

    #[test]
    fn a_large_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.bin");
        let names = || fs::read_dir(dir.path()).unwrap().count();
        write_large(&path, &mut |file| file.write_all(b"first")).unwrap();
        let failed = write_large(&path, &mut |file| {
            file.write_all(b"sec")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.unwrap_err().to_string().contains("free some disk space"));
        assert_eq!((fs::read(&path).unwrap(), names()), (b"first".to_vec(), 1));
        // Unfinished content is overwritten by the next write, and removed with the file.
        fs::write(unfinished(&path), b"longer than the second").unwrap();
        write_large(&path, &mut |file| file.write_all(b"second")).unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"second".to_vec(), 1));
        fs::write(unfinished(&path), b"half").unwrap();
        remove_unfinished(&path).unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"second".to_vec(), 1));
        fs::write(unfinished(&path), b"half").unwrap();
        remove_file(&path).unwrap();
        remove_file(&path).unwrap();
        assert_eq!(names(), 0);
    }

    #[test]
    fn publishes_a_folder_whole_and_refuses_an_existing_target() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("building"), dir.path().join("built"));
        fs::create_dir_all(from.join("inner")).unwrap();
        fs::write(from.join("inner/file"), b"x").unwrap();
        publish_folder(&from, &to).unwrap();
        assert_eq!(fs::read(to.join("inner/file")).unwrap(), b"x");
        fs::create_dir(&from).unwrap();
        assert!(publish_folder(&from, &to).is_err());
        remove_folder(&to).unwrap();
        remove_folder(&to).unwrap();
        assert!(!to.exists());
    }
}
