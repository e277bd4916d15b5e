//! Events of the file system: a reason to look, never what has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::source::Folder;
use crate::corpus::may_hold_documents;

/// Holds the system's watches.
pub(super) struct Events {
    _watcher: RecommendedWatcher,
}

/// Is set by whatever may have changed a file.
#[derive(Clone)]
pub(super) struct Dirty {
    pub(super) is: Arc<AtomicBool>,
    pub(super) woken: Receiver<()>,
}

impl Events {
    /// Watches the folders of the index in `path`.
    pub(super) fn of(path: &Path, folders: &[Folder]) -> (notify::Result<Events>, Dirty) {
        let (wake, woken) = bounded(1);
        let dirty = Dirty { is: Arc::default(), woken };
        let roots: Vec<PathBuf> = folders.iter().map(|folder| folder.path.clone()).collect();
        let index = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let filter = Filter { roots: roots.clone(), index, is: Arc::clone(&dirty.is), wake };
        let watcher =
            notify::recommended_watcher(move |event| filter.take(&event)).and_then(|mut watcher| {
                roots.iter().try_for_each(|root| watcher.watch(root, RecursiveMode::Recursive))?;
                Ok(Events { _watcher: watcher })
            });
        (watcher, dirty)
    }
}

/// Passes on what may be about a document.
struct Filter {
    roots: Vec<PathBuf>,
    index: PathBuf,
    is: Arc<AtomicBool>,
    wake: Sender<()>,
}

impl Filter {
    fn take(&self, event: &notify::Result<notify::Event>) {
        let counts = match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) && !event.need_rescan() => false,
            Ok(event) => {
                event.need_rescan()
                    || event.paths.is_empty()
                    || event.paths.iter().any(|path| self.may_count(path))
            }
            // Events were lost.
            Err(_) => true,
        };
        if counts {
            self.is.store(true, Ordering::Release);
            // Full: the loop has been woken and not looked yet.
            _ = self.wake.try_send(());
        }
    }

    fn may_count(&self, path: &Path) -> bool {
        !path.starts_with(&self.index)
            && self.roots.iter().any(|root| path.strip_prefix(root).is_ok_and(may_hold_documents))
    }
}

#[cfg(test)]
mod tests {
    use notify::Event;
    use notify::event::{AccessKind, CreateKind, Flag};

    use super::*;

    #[test]
    fn only_what_may_be_about_a_document_counts() {
        let (wake, woken) = bounded(1);
        let (roots, index) = (vec![PathBuf::from("/notes")], PathBuf::from("/notes/own-index"));
        let filter = Filter { roots, index, is: Arc::default(), wake };
        let counts = |event: notify::Result<Event>| {
            filter.take(&event);
            woken.try_recv().is_ok() && filter.is.swap(false, Ordering::AcqRel)
        };
        let created = |path: &str| Ok(Event::new(EventKind::Create(CreateKind::File)).add_path(path.into()));
        assert!(counts(created("/notes/a.md")) && counts(created("/notes/sub/b.md")));
        for path in
            ["/notes/own-index/files.json", "/notes/.git/HEAD", "/notes/node_modules/x/a.md", "/other/a.md"]
        {
            assert!(!counts(created(path)), "{path}");
        }
        let read = Event::new(EventKind::Access(AccessKind::Read)).add_path("/notes/a.md".into());
        assert!(!counts(Ok(read)), "a run reads files itself");
        // Events were lost: anything may have changed.
        assert!(counts(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))));
        assert!(counts(Err(notify::Error::generic("too many"))));
    }
}
