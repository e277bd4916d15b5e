//! Queries of the log as an answer tells them.

use super::api::{Asked, LogAnswer, Picked};
use crate::engine::{AnsweredQuery, QueryPage};

impl From<QueryPage> for LogAnswer {
    fn from(QueryPage { queries, next }: QueryPage) -> LogAnswer {
        LogAnswer { queries: queries.into_iter().map(told).collect(), next }
    }
}

fn told(AnsweredQuery { impression, judgements }: AnsweredQuery) -> Asked {
    let said = judgements.into_iter().map(|one| Picked { document: one.document, verdict: one.verdict });
    Asked {
        query_id: impression.query_id,
        at: impression.time_ms,
        session: impression.session,
        picked: said.collect(),
        query: impression.query,
    }
}
