//! What one agent was shown: so that reading and judging need no query id.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::text;
use crate::access::api::{SearchAnswer, SearchRequest};
use crate::ids::QueryId;
use crate::search::AGENT;

/// Documents whose last answer is known.
const SHOWN: NonZeroUsize = NonZeroUsize::new(2000).expect("it is not zero");
/// Agents without connections that are told apart.
const AGENTS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");
/// An agent without a connection that has been silent for so long begins anew.
const SILENT: Duration = Duration::from_secs(30 * 60);
/// The longest name of an agent in a session's id.
const NAME: usize = 32;

/// One connection of an agent.
#[derive(Debug)]
pub(super) struct Conversation(Mutex<State>);

#[derive(Debug)]
struct State {
    session: Option<String>,
    /// By the id as it was told.
    shown: LruCache<String, Shown>,
    last: Option<Asked>,
    noted: Option<(QueryId, String)>,
}

/// A document that the agent has seen.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its id, unchanged.
    pub(super) document: String,
    /// The answer that showed it last, if it is logged.
    pub(super) answer: Option<QueryId>,
}

#[derive(Debug)]
struct Asked {
    request: SearchRequest,
    answer: QueryId,
}

impl Conversation {
    pub(super) fn new() -> Conversation {
        Conversation(Mutex::new(State {
            session: None,
            shown: LruCache::new(SHOWN),
            last: None,
            noted: None,
        }))
    }

    /// The session's id, which says in the log that an agent asked: `agent:NAME:` and a random number.
    pub(super) fn session(&self, agent: &str) -> String {
        let make = || {
            let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
            let name: String = agent.chars().take(NAME).map(plain).collect();
            format!("{AGENT}{}:{:016x}", name.to_ascii_lowercase(), rand::random::<u64>())
        };
        self.state().session.get_or_insert_with(make).clone()
    }

    /// The answer that `request` is a further page of: the last one, to the same question from its beginning.
    pub(super) fn page_of(&self, request: &SearchRequest) -> Option<QueryId> {
        let state = self.state();
        let last = state.last.as_ref().filter(|last| last.request == from_beginning(request))?;
        (request.offset > 0).then_some(last.answer)
    }

    /// Keeps what was shown as the answer to `request`.
    pub(super) fn showed(&self, request: &SearchRequest, answer: &SearchAnswer) {
        let id = answer.query_id.or(request.page_of);
        self.saw(answer, id);
        if let Some(answer) = answer.query_id {
            self.state().last = Some(Asked { request: from_beginning(request), answer });
        }
    }

    /// Keeps what was shown without being logged.
    pub(super) fn showed_unlogged(&self, answer: &SearchAnswer) {
        self.saw(answer, None);
    }

    fn saw(&self, answer: &SearchAnswer, id: Option<QueryId>) {
        let mut state = self.state();
        let copies = answer.hits.iter().flat_map(|hit| &hit.also);
        for document in answer.hits.iter().map(|hit| &hit.document).chain(copies) {
            let told = text::id(document);
            let before = state.shown.get(&told).and_then(|shown| shown.answer);
            let shown = Shown { document: document.clone(), answer: id.or(before) };
            state.shown.put(told, shown);
        }
    }

    /// The document that was told by this id.
    pub(super) fn shown(&self, told: &str) -> Shown {
        let shown = self.state().shown.get(told).cloned();
        shown.unwrap_or_else(|| Shown { document: told.to_string(), answer: None })
    }

    /// Whether opening this document says anything that the opening before has not said.
    pub(super) fn is_opening(&self, answer: QueryId, document: &str) -> bool {
        let now = Some((answer, document.to_string()));
        let mut state = self.state();
        let differs = state.noted != now;
        state.noted = now;
        differs
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same question without what differs from page to page.
fn from_beginning(request: &SearchRequest) -> SearchRequest {
    let mut first = request.clone();
    (first.offset, first.limit, first.page_of) = (0, 0, None);
    first
}

/// The conversations of agents that have no connections, by their names.
#[derive(Debug)]
pub(super) struct Conversations(Mutex<LruCache<String, Kept>>);

#[derive(Debug)]
struct Kept {
    conversation: Arc<Conversation>,
    used: Instant,
}

impl Conversations {
    pub(super) fn new() -> Conversations {
        Conversations(Mutex::new(LruCache::new(AGENTS)))
    }

    pub(super) fn of(&self, agent: &str) -> Arc<Conversation> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let agent: String = agent.chars().take(NAME).collect();
        let kept = all.pop(&agent).filter(|kept| kept.used.elapsed() < SILENT);
        let conversation = kept.map_or_else(|| Arc::new(Conversation::new()), |kept| kept.conversation);
        all.put(agent, Kept { conversation: Arc::clone(&conversation), used: Instant::now() });
        conversation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_marked_as_an_agents() {
        let conversation = Conversation::new();
        let session = conversation.session(&"Claude Code (ünïx) ".repeat(9));
        assert!(session.starts_with("agent:claude-code--") && session.len() <= 64, "{session}");
        assert_eq!(conversation.session("another"), session);
        assert_ne!(Conversation::new().session("a"), Conversation::new().session("a"));
    }

    #[test]
    fn agents_without_connections_are_told_apart_by_name() {
        let all = Conversations::new();
        assert_eq!(all.of("a").session("a"), all.of("a").session("a"));
        assert_ne!(all.of("a").session("a"), all.of("b").session("a"));
    }

    #[test]
    fn only_the_same_question_has_further_pages() {
        let conversation = Conversation::new();
        let mut request = SearchRequest::new("fog");
        let state = |request: &SearchRequest| Asked { request: from_beginning(request), answer: QueryId(7) };
        conversation.state().last = Some(state(&request));
        assert_eq!(conversation.page_of(&request), None);
        request.offset = 10;
        request.limit = 5;
        assert_eq!(conversation.page_of(&request), Some(QueryId(7)));
        request.ext = Some("md".into());
        assert_eq!(conversation.page_of(&request), None);
    }

    #[test]
    fn reading_on_is_no_further_opening() {
        let conversation = Conversation::new();
        assert!(conversation.is_opening(QueryId(1), "a"));
        assert!(!conversation.is_opening(QueryId(1), "a"));
        assert!(conversation.is_opening(QueryId(1), "b"));
        assert!(conversation.is_opening(QueryId(1), "a"));
    }
}
