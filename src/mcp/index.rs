//! Where answers come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::{Access, Own, Served};
use crate::engine::{Options, Reader};
use crate::error::{Error, Result};

type Find = dyn Fn() -> Result<PathBuf> + Send + Sync;
type Open = dyn Fn() -> Result<Access> + Send + Sync;

/// The index that tools work on.
///
/// It is looked for at each call: an agent may run for days, in which the index is made, and services come and go.
/// Where a service holds the index it is asked; else it is opened for reading, beside whoever writes to it. An index on
/// a cluster is opened once: it follows what is published there.
pub struct Index(Source);

enum Source {
    Held(Arc<Access>),
    /// Opened at the first call.
    Opened {
        open: Box<Open>,
        access: Mutex<Option<Arc<Access>>>,
    },
    Found {
        find: Box<Find>,
        options: Box<Options>,
        service: bool,
        opened: Mutex<Option<Opened>>,
    },
}

/// An index that this process reads.
#[derive(Clone)]
struct Opened {
    path: PathBuf,
    reader: Reader,
    access: Arc<Access>,
}

impl Index {
    /// The index in the folder that `find` returns.
    pub fn found(find: impl Fn() -> Result<PathBuf> + Send + Sync + 'static, options: Options) -> Index {
        Index(Source::Found {
            find: Box::new(find),
            options: options.into(),
            service: true,
            opened: Mutex::default(),
        })
    }

    /// Asks no service: for options that a service may not have.
    pub fn without_service(mut self) -> Index {
        if let Source::Found { service, .. } = &mut self.0 {
            *service = false;
        }
        self
    }

    /// The index that `open` opens: at the first call, and again as long as that fails.
    pub fn opened(open: impl Fn() -> Result<Access> + Send + Sync + 'static) -> Index {
        Index(Source::Opened { open: Box::new(open), access: Mutex::default() })
    }

    /// An index that is open.
    pub(crate) fn held(access: Arc<Access>) -> Index {
        Index(Source::Held(access))
    }

    pub(super) fn ask<T>(&self, question: impl Fn(&Access) -> Result<T>) -> Result<T> {
        let (find, options, service, opened) = match &self.0 {
            Source::Held(access) => return question(access),
            Source::Opened { open, access } => return question(&*once(open, access)?),
            Source::Found { find, options, service, opened } => (find, options, service, opened),
        };
        let path = find().inspect_err(|_| drop(lock(opened).take()))?;
        if *service && let Some(served) = Served::find(&path) {
            match question(&Access::Served(served)) {
                // It has just ended.
                Err(Error::Io { .. }) => {}
                answer => return answer,
            }
        }
        let own = Opened::at(path, options, opened)?;
        let answer = question(&own.access);
        match &answer {
            Ok(_) | Err(Error::Invalid { .. } | Error::NotFound { .. }) => {}
            // It may have been made anew.
            Err(_) => drop(lock(opened).take()),
        }
        answer
    }

    /// Writes out the log.
    pub(super) fn close(&self) -> Result<()> {
        match &self.0 {
            Source::Held(_) => Ok(()),
            Source::Opened { access, .. } => lock(access).take().map_or(Ok(()), |access| access.close()),
            Source::Found { opened, .. } => {
                let own = lock(opened).take();
                own.map_or(Ok(()), |own| own.reader.close())
            }
        }
    }
}

impl Opened {
    /// The index in the folder `path`, opened unless it is.
    fn at(path: PathBuf, options: &Options, opened: &Mutex<Option<Opened>>) -> Result<Opened> {
        let mut opened = lock(opened);
        if let Some(own) = opened.as_ref().filter(|own| own.path == path) {
            return Ok(own.clone());
        }
        let reader = Reader::open(&path, options.clone())?;
        let access = Arc::new(Access::Own(Own::reading(reader.clone())));
        Ok(opened.insert(Opened { path, reader, access }).clone())
    }
}

/// What is opened, unless it is.
fn once(open: &Open, access: &Mutex<Option<Arc<Access>>>) -> Result<Arc<Access>> {
    let mut access = lock(access);
    if let Some(access) = access.as_ref() {
        return Ok(Arc::clone(access));
    }
    Ok(Arc::clone(access.insert(Arc::new(open()?))))
}

fn lock<T>(opened: &Mutex<Option<T>>) -> MutexGuard<'_, Option<T>> {
    opened.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}
