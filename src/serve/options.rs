//! How the service runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::error::{Error, Result};

/// Tried first where no port is asked for.
const PORT: u16 = 7867;
/// How many ports behind it are tried.
const MORE: u16 = 20;
/// The shortest token in characters.
const SHORTEST_TOKEN: usize = 16;

/// How a service runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// The TCP port; 0 for any that is free. Default 7867, or the next one that is free.
    pub port: Option<u16>,
    /// The address to listen on. Default 127.0.0.1. Any that is not this machine's loopback needs a token.
    pub listen: Option<IpAddr>,
    /// What every request over TCP has to present. Default none: then only changes need a token, which the page has.
    pub token: Option<String>,
    /// Ends the service when nothing was asked of it for so long. Default never.
    pub idle_exit: Option<Duration>,
}

impl ServeOptions {
    /// Sets [`port`](ServeOptions::port).
    pub fn with_port(mut self, port: u16) -> ServeOptions {
        self.port = Some(port);
        self
    }

    /// Sets [`listen`](ServeOptions::listen).
    pub fn with_listen(mut self, address: IpAddr) -> ServeOptions {
        self.listen = Some(address);
        self
    }

    /// Sets [`token`](ServeOptions::token).
    pub fn with_token(mut self, token: impl Into<String>) -> ServeOptions {
        self.token = Some(token.into());
        self
    }

    /// Sets [`idle_exit`](ServeOptions::idle_exit).
    pub fn with_idle_exit(mut self, time: Duration) -> ServeOptions {
        self.idle_exit = Some(time);
        self
    }

    /// # Errors
    /// [`Error::Invalid`] for an address beyond this machine without a token, and for a token that can be guessed or
    /// can't stand in a header.
    pub(super) fn validate(&self) -> Result<()> {
        let address = self.address();
        let Some(token) = &self.token else {
            return match address.is_loopback() {
                true => Ok(()),
                false => Err(Error::invalid(
                    "the address to listen on",
                    address,
                    "a token too (--token, RETUNE_TOKEN): others could read all that is indexed; or 127.0.0.1",
                )),
            };
        };
        let fits = token.len() >= SHORTEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
        match fits && !token.contains([';', ',', '"', '\\', '<', '&']) {
            true => Ok(()),
            false => Err(Error::invalid(
                "the token",
                format!("{} characters", token.chars().count()),
                format!(
                    "{SHORTEST_TOKEN} or more letters, digits or signs, such as `openssl rand -hex 16` makes"
                ),
            )),
        }
    }

    pub(super) fn address(&self) -> IpAddr {
        self.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Where to listen: the first that is free.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        let ports = match self.port {
            Some(port) => port..=port,
            None => PORT..=PORT + MORE,
        };
        ports.map(|port| SocketAddr::new(self.address(), port)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_needs_a_token_that_is_hard_to_guess() {
        let options = ServeOptions::default;
        let beyond = IpAddr::from([0, 0, 0, 0]);
        let refused = |options: ServeOptions| matches!(options.validate(), Err(Error::Invalid { .. }));
        assert!(options().validate().is_ok());
        assert!(options().with_listen(IpAddr::from([127, 0, 0, 2])).validate().is_ok());
        assert!(refused(options().with_listen(beyond)));
        assert!(refused(options().with_token("short")));
        assert!(refused(options().with_token("with a space in the middle")));
        assert!(options().with_listen(beyond).with_token("0123456789abcdef").validate().is_ok());
    }
}
