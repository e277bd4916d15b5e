//! Judging, the log, forgetting.

use super::Own;
use crate::access::api::{Asked, ForgetRequest, Forgotten, JudgeRequest, Picked};
use crate::error::{Error, Result};
use crate::feedback::Verdict;

/// What reading a document says of it.
pub(super) const READ: Verdict = Verdict::Opened;
/// Queries that are told at most.
const RECENT: usize = 100;

impl Own {
    /// As [`Access::judge`](crate::access::Access::judge).
    pub fn judge(&self, request: &JudgeRequest) -> Result<()> {
        self.reader()?.judge(request.query_id, &request.document, request.verdict)
    }

    /// As [`Access::recent`](crate::access::Access::recent).
    pub fn recent(&self) -> Result<Vec<Asked>> {
        let answered = self.reader()?.recent_queries(RECENT)?;
        let asked = answered.into_iter().map(|one| Asked {
            query_id: one.impression.query_id,
            at: one.impression.time_ms,
            session: one.impression.session,
            picked: one
                .judgements
                .into_iter()
                .map(|judgement| Picked { document: judgement.document, verdict: judgement.verdict })
                .collect(),
            query: one.impression.query,
        });
        Ok(asked.collect())
    }

    /// As [`Access::forget`](crate::access::Access::forget).
    pub fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let reader = self.reader()?;
        let records = match request {
            ForgetRequest { query: Some(text), query_id: None, document: None, everything: false } => {
                reader.forget_query(text)?
            }
            ForgetRequest { query: None, query_id: Some(id), document: None, everything: false } => {
                reader.forget_query_id(*id)?
            }
            ForgetRequest { query: None, query_id: None, document: Some(id), everything: false } => {
                reader.forget_document(id)?
            }
            ForgetRequest { query: None, query_id: None, document: None, everything: true } => {
                reader.forget_everything()?
            }
            _ => {
                let expected = "exactly one of query, query_id, document, everything";
                return Err(Error::invalid("what to forget", "none or several", expected));
            }
        };
        Ok(Forgotten { records })
    }
}
