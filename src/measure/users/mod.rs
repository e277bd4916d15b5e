//! Simulated users: they have a need, ask, look at the answer and pick documents.

mod one_query;
mod replay;
mod sessions;

use std::fmt;
use std::str::FromStr;

pub use replay::replay;

use crate::Reader;
use crate::error::Result;
use crate::eval::{ClickModel, Query as Topic, Split};
use sessions::{Manner, Sessions};

/// How simulated users behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Users {
    /// They choose every right document of an answer. If none was shown they choose the first right one all the same:
    /// they know every answer.
    Perfect,
    /// They ask one query and choose as [`ClickModel::Cascade`].
    Cascade,
    /// They ask one query and choose as [`ClickModel::Noisy`].
    Noisy,
    /// They look for one document. They ask one of its train queries, look from the top, open what attracts them, also
    /// wrong documents, come back, and ask up to three more of its queries if they have not found it, or give up.
    /// Nothing but openings, some of them withdrawn, is logged.
    Sessions,
    /// As `Sessions`, but they open wrong documents three times as often and never say that they came back.
    NoisySessions,
}

impl Users {
    const ALL: [Users; 5] =
        [Users::Perfect, Users::Cascade, Users::Noisy, Users::Sessions, Users::NoisySessions];

    /// The name: `perfect`, `cascade`, `noisy`, `sessions` or `noisy-sessions`.
    pub fn name(self) -> &'static str {
        match self {
            Users::Perfect => "perfect",
            Users::Cascade => "cascade",
            Users::Noisy => "noisy",
            Users::Sessions => "sessions",
            Users::NoisySessions => "noisy-sessions",
        }
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Users {
    type Err = String;

    fn from_str(name: &str) -> Result<Users, String> {
        Users::ALL.into_iter().find(|users| users.name() == name).ok_or_else(|| {
            let names = Users::ALL.map(Users::name).join(", ");
            format!("there are no users {name}; use one of {names}")
        })
    }
}

/// A crowd of users, one need after another.
pub(super) struct Crowd<'a> {
    split: &'a Split,
    users: Users,
    seed: u64,
    sessions: Sessions<'a>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(split: &'a Split, users: Users, seed: u64) -> Crowd<'a> {
        Crowd { split, users, seed, sessions: Sessions::new(split, seed) }
    }

    /// Somebody has the need number `need`, and begins with this query.
    pub(super) fn ask(&mut self, engine: &Reader, topic: &'a Topic, need: usize) -> Result<()> {
        let seed = self.seed ^ need as u64;
        let one = |clicks| one_query::ask(engine, topic, self.split, clicks, seed);
        match self.users {
            Users::Perfect => one(ClickModel::Perfect),
            Users::Cascade => one(ClickModel::Cascade),
            Users::Noisy => one(ClickModel::Noisy),
            Users::Sessions => self.sessions.ask(engine, topic, Manner::CAREFUL),
            Users::NoisySessions => self.sessions.ask(engine, topic, Manner::CARELESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_by_name() {
        assert!(Users::ALL.into_iter().all(|users| users.name().parse() == Ok(users)));
        assert!("drunk".parse::<Users>().unwrap_err().contains("noisy-sessions"));
    }
}
