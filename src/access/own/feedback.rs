//! Judging, the log, forgetting.

use super::Own;
use crate::access::api::{ForgetRequest, Forgotten, JudgeRequest, LogAnswer, LogRequest};
use crate::access::asking::{check_limit, listing};
use crate::access::forgetting::Forgetting;
use crate::error::Result;
use crate::feedback::Verdict;

/// What reading a document says of it.
pub(super) const READ: Verdict = Verdict::Opened;

impl Own {
    /// As [`Access::judge`](crate::access::Access::judge).
    pub fn judge(&self, request: &JudgeRequest) -> Result<()> {
        self.pace.keep("record a judgement")?;
        self.reader()?.judge(request.query_id, &request.document, request.verdict)
    }

    /// As [`Access::recent`](crate::access::Access::recent).
    pub fn recent(&self, request: &LogRequest) -> Result<LogAnswer> {
        check_limit(request.limit, LogRequest::MOST)?;
        Ok(self.reader()?.queries(&listing(request))?.into())
    }

    /// As [`Access::forget`](crate::access::Access::forget).
    pub fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let reader = self.reader()?;
        let records = match Forgetting::of(request)? {
            Forgetting::Query(text) => reader.forget_query(text)?,
            Forgetting::QueryId(id) => reader.forget_query_id(id)?,
            Forgetting::Document(id) => reader.forget_document(id)?,
            Forgetting::Everything => reader.forget_everything()?,
        };
        Ok(Forgotten { records })
    }
}
