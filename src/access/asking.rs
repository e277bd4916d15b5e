//! A request as a query of the engine.

use super::api::{FilesRequest, LogRequest, SearchRequest};
use crate::engine::{Folder, Listing, QueryListing};
use crate::error::{Error, Result};
use crate::lexical::{Date, Filter};
use crate::search::Query;

/// Documents of a page at most.
pub(super) const MOST: usize = 100;
/// The longest query in bytes, as far as operators are read.
const LONGEST: usize = 4096;

/// # Errors
/// [`Error::Invalid`] for a number of documents outside of `1..=most`.
pub(super) fn check_limit(limit: usize, most: usize) -> Result<()> {
    match (1..=most).contains(&limit) {
        true => Ok(()),
        false => Err(Error::invalid("the limit", limit, format!("1 to {most}"))),
    }
}

/// The documents that are asked for.
pub(super) fn documents(request: &FilesRequest) -> Result<Listing> {
    check_limit(request.limit, FilesRequest::MOST)?;
    let mut listing = Listing::default().with_limit(request.limit);
    listing.after.clone_from(&request.after);
    Ok(listing)
}

/// The queries of the log that are asked for.
pub(super) fn listing(request: &LogRequest) -> QueryListing {
    let mut listing = QueryListing::default().with_limit(request.limit);
    listing.after = request.after;
    listing.contains.clone_from(&request.contains);
    listing
}

/// What is asked of an index that follows these folders.
pub(super) fn query(request: &SearchRequest, folders: &[Folder]) -> Result<Query> {
    check_limit(request.limit, MOST)?;
    if request.q.len() > LONGEST {
        let expected = format!("{LONGEST} bytes at most");
        return Err(Error::invalid("the query", format!("{} bytes", request.q.len()), expected));
    }
    let mut query = Query::parse(&request.q).with_mode(request.mode).with_limit(request.limit);
    query.offset = request.offset;
    query.page_of = request.page_of;
    query.session.clone_from(&request.session);
    query.log = request.log;
    query.total = request.count;
    query.filter = filter(request, folders)?;
    query.path = request.path.clone().filter(|path| !path.is_empty());
    Ok(query)
}

fn filter(request: &SearchRequest, folders: &[Folder]) -> Result<Option<Filter>> {
    let mut all = Vec::new();
    if let Some(extensions) = &request.ext {
        let of = |one: &str| one.trim().trim_start_matches('.').to_lowercase();
        all.push(Filter::any_of("extension", extensions.split(',').map(of)));
    }
    if let Some(name) = &request.folder {
        let known = folders.iter().any(|folder| folder.name == *name);
        match (known, name.is_empty()) {
            (false, _) => return Err(Error::invalid("the folder", name, "the name of a followed folder")),
            (true, false) => all.push(Filter::prefix("path", format!("{name}://"))),
            // Those of the folder without a name are the others'.
            (true, true) => {
                let others = folders.iter().filter(|folder| !folder.name.is_empty());
                all.extend(others.map(|other| !Filter::prefix("path", format!("{}://", other.name))));
            }
        }
    }
    if let Some(after) = request.after.as_deref().filter(|date| !date.is_empty()) {
        all.push(Filter::range("date", date(after)?..));
    }
    if let Some(before) = request.before.as_deref().filter(|date| !date.is_empty()) {
        all.push(Filter::range("date", ..date(before)?));
    }
    Ok((!all.is_empty()).then(|| Filter::All(all).lenient()))
}

/// A year, a month, a day or a moment: its beginning.
fn date(text: &str) -> Result<Date> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_year { format!("{text}-01").parse() } else { text.parse() }
}
