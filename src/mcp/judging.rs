//! `judge`.

use serde_json::json;

use super::arguments::Arguments;
use super::asking::Asking;
use super::text::id;
use super::told::Told;
use crate::access::api::JudgeRequest;
use crate::error::{Error, Result};
use crate::feedback::Verdict;

const VERDICTS: [(&str, Verdict); 2] = [("chosen", Verdict::Chosen), ("not_relevant", Verdict::NotRelevant)];

pub(super) fn judge(asking: &Asking<'_>, arguments: &Arguments) -> Result<Told> {
    let told = arguments.text("document")?;
    let shown = asking.conversation.shown(&told);
    let missing = |found: &str, expected: &str| Error::invalid("the arguments", found, expected);
    let verdict = arguments.choice("verdict", &VERDICTS)?;
    let verdict = verdict.ok_or_else(|| missing("no verdict", "verdict: one of chosen, not_relevant"))?;
    let query_id = match arguments.text_if_any("query_id")? {
        Some(text) => Some(text.trim().parse()?),
        None => shown.answer,
    };
    let query_id = query_id.ok_or_else(|| {
        let found = format!("{:?}, which no search of this session has shown", id(&told));
        missing(&found, "a document of an answer: search first, or name the query_id")
    })?;
    let request = JudgeRequest { query_id, document: shown.document, verdict };
    asking.index.ask(|index| index.judge(&request))?;
    let verdict = VERDICTS.iter().find(|(_, one)| *one == verdict).map_or("", |(name, _)| name);
    Ok(Told {
        text: format!("Noted: {} is {verdict} for query_id {query_id}.\n", id(&request.document)),
        json: json!({ "document": id(&request.document), "verdict": verdict, "query_id": query_id }),
    })
}
