//! Who starts services at login.

use std::path::{Path, PathBuf};

use retune::{Error, Result};

use super::unit::{Call, Unit};
use super::{launchd, systemd};

/// Who starts services on this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Systemd,
    Launchd,
}

impl Manager {
    pub(super) fn here() -> Result<Manager> {
        match () {
            () if cfg!(target_os = "macos") => Ok(Manager::Launchd),
            () if cfg!(target_os = "linux") => Ok(Manager::Systemd),
            () => Err(Error::NotFound {
                what: "manager of services on",
                id: std::env::consts::OS.into(),
                remedy: "start `retune serve` by what this system has for it",
            }),
        }
    }

    pub(super) fn path(self, unit: &Unit) -> Result<PathBuf> {
        let folders = directories::BaseDirs::new().ok_or(Error::NotFound {
            what: "home folder of",
            id: "this user".into(),
            remedy: "set HOME",
        })?;
        Ok(match self {
            Manager::Systemd => {
                folders.config_dir().join("systemd/user").join(format!("{}.service", unit.name))
            }
            Manager::Launchd => {
                folders.home_dir().join("Library/LaunchAgents").join(format!("{}.plist", unit.name))
            }
        })
    }

    pub(super) fn text(self, unit: &Unit) -> String {
        match self {
            Manager::Systemd => systemd::text(unit),
            Manager::Launchd => launchd::text(unit),
        }
    }

    pub(super) fn start(self, unit: &Unit, path: &Path) -> Vec<Call> {
        match self {
            Manager::Systemd => systemd::start(unit),
            Manager::Launchd => launchd::start(path),
        }
    }

    pub(super) fn stop(self, unit: &Unit) -> Vec<Call> {
        match self {
            Manager::Systemd => systemd::stop(unit),
            Manager::Launchd => launchd::stop(unit),
        }
    }
}
