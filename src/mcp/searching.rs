//! `search` and `similar`.

use std::fmt::Write;

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::asking::Asking;
use super::listing::Listing;
use super::told::Told;
use super::tools::MOST_DOCUMENTS;
use crate::access::api::{SearchRequest, SimilarRequest};
use crate::error::Result;
use crate::ids::ChunkId;
use crate::search::Mode;

const MODES: [(&str, Mode); 3] =
    [("hybrid", Mode::Hybrid), ("lexical", Mode::Lexical), ("dense", Mode::Dense)];
const FARTHEST: u64 = 10_000;
const USUAL: u64 = 10;

pub(super) fn search(asking: &Asking<'_>, arguments: &Arguments) -> Result<Told> {
    let mut request = SearchRequest::new(arguments.text("query")?);
    request.mode = arguments.choice("mode", &MODES)?.unwrap_or_default();
    request.limit = arguments.number("limit", 1..=MOST_DOCUMENTS)?.unwrap_or(USUAL) as usize;
    request.offset = arguments.number("offset", 0..=FARTHEST)?.unwrap_or(0) as usize;
    request.path = arguments.text_if_any("path")?;
    request.ext = arguments.text_if_any("type")?;
    request.after = arguments.text_if_any("after")?;
    request.session = Some(asking.conversation.session(asking.agent));
    request.page_of = asking.conversation.page_of(&request);
    let mut answer = asking.index.ask(|index| index.search(&request))?;
    let found = answer.hits.len();
    let Listing { text: documents, documents: json } = Listing::of(&answer);
    // What the agent does not see was not shown.
    answer.hits.truncate(json.len());
    asking.conversation.showed(&request, &answer);
    let query_id = answer.query_id.or(request.page_of);
    let next = (found == request.limit || json.len() < found).then_some(request.offset + json.len());
    let notices = Listing::notices(&answer);

    let mut text = match json.len() {
        0 if request.offset > 0 => "No more documents.\n".to_string(),
        0 => "Nothing found. Try other words, or leave out filters; `status` tells what is indexed.\n"
            .to_string(),
        1 => "1 document".to_string(),
        many => format!("{many} documents"),
    };
    if !json.is_empty() {
        let query = query_id.map(|id| format!(", query_id {id}")).unwrap_or_default();
        _ = writeln!(text, " ({}{query})", answer.mode.name());
    }
    notices.iter().for_each(|notice| _ = writeln!(text, "note: {notice}"));
    text.push_str(&documents);
    if let Some(next) = next.filter(|_| !json.is_empty()) {
        let cut = json.len() < found;
        let why = if cut { "The rest was left out to keep this short" } else { "There may be more" };
        _ = write!(text, "\n{why}: search again with offset {next}.\n");
    }
    let json = json!({
        "query_id": query_id,
        "mode": answer.mode.name(),
        "notices": notices,
        "documents": json,
        "next_offset": next,
    });
    Ok(Told { text, json: without_nulls(json) })
}

pub(super) fn similar(asking: &Asking<'_>, arguments: &Arguments) -> Result<Told> {
    let shown = asking.conversation.shown(&arguments.text("document")?);
    let mut request = SimilarRequest::new(shown.document);
    request.passage = arguments.number("passage", 0..=u64::MAX)?.map(ChunkId);
    request.limit = arguments.number("limit", 1..=MOST_DOCUMENTS)?.unwrap_or(USUAL) as usize;
    let mut answer = asking.index.ask(|index| index.similar(&request))?;
    let found = answer.hits.len();
    let Listing { text: documents, documents: json } = Listing::of(&answer);
    answer.hits.truncate(json.len());
    asking.conversation.showed_unlogged(&answer);
    let notices = Listing::notices(&answer);
    let mut text = match json.len() {
        0 => "Nothing is like it.\n".to_string(),
        1 => "1 similar document\n".to_string(),
        many => format!("{many} similar documents\n"),
    };
    notices.iter().for_each(|notice| _ = writeln!(text, "note: {notice}"));
    text.push_str(&documents);
    if json.len() < found {
        text.push_str("\nThe rest was left out to keep this short: ask for fewer, or name a passage.\n");
    }
    Ok(Told { text, json: json!({ "notices": notices, "documents": json, "cut": json.len() < found }) })
}

fn without_nulls(mut json: Value) -> Value {
    if let Value::Object(fields) = &mut json {
        fields.retain(|_, value| !value.is_null());
    }
    json
}
