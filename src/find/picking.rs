//! What is said of documents: by opening them, by hand, and by coming back at once.

use std::time::Duration;

use super::event::{Effect, Judgement, Look, Picked};
use super::state::{Looking, State};
use crate::error::Result;
use crate::feedback::Verdict;

/// Who comes back sooner did not find what was looked for: as on the page.
const BOUNCE: Duration = Duration::from_secs(4);

impl State {
    /// Opens the selected result; as soon as it is known where its file is.
    pub(super) fn open(&mut self) -> Vec<Effect> {
        if self.is_searching() {
            self.is_opening = true;
            return Vec::new();
        }
        let mut effects = self.mean();
        match self.picked() {
            None => self.is_opening = self.found.as_ref().is_some_and(|found| found.hit().is_some()),
            Some(Err(why)) => {
                self.is_opening = false;
                self.note = Some(why);
            }
            Some(Ok(picked)) => {
                self.is_opening = false;
                effects.extend(self.open_file(picked));
            }
        }
        effects
    }

    fn open_file(&mut self, picked: Picked) -> Vec<Effect> {
        let Some(found) = &self.found else { return Vec::new() };
        let is_first = found.said(&picked.document).is_none();
        let (number, document) = (found.number, picked.document.clone());
        // What was said by hand stays.
        let mut effects = if is_first { self.say(&document, Verdict::Opened) } else { Vec::new() };
        if self.is_giving {
            effects.push(Effect::Leave(Some(picked)));
        } else {
            self.looking = Some(Looking { number, document, is_first });
            effects.push(Effect::Open(picked));
        }
        effects
    }

    /// Says something of the selected document, or takes it back if it was said already.
    pub(super) fn toggle(&mut self, verdict: Verdict) -> Vec<Effect> {
        let mut effects = self.mean();
        let Some((document, said)) = self.found.as_ref().and_then(|found| {
            let hit = found.hit()?;
            Some((hit.document.clone(), found.said(&hit.document)))
        }) else {
            return effects;
        };
        let verdict = if said == Some(verdict) { Verdict::Withdrawn } else { verdict };
        effects.extend(self.say(&document, verdict));
        self.note = Some(
            match verdict {
                Verdict::NotRelevant => "Noted: not what you looked for. Ctrl-D again takes it back",
                Verdict::Chosen => "Noted as the right answer. Ctrl-Y again takes it back",
                _ => "Taken back",
            }
            .into(),
        );
        effects
    }

    /// The program that a document was opened in is left. Who comes back at once did not mean it.
    pub(super) fn looked(&mut self, result: Result<Look>) -> Vec<Effect> {
        let Some(looking) = self.looking.take() else { return Vec::new() };
        let is_bounce = match result {
            Err(error) => {
                self.note = Some(error.to_string());
                true
            }
            Ok(Look::Ended(after)) => after < BOUNCE,
            Ok(Look::Elsewhere) => false,
        };
        let said = self.found.as_ref().filter(|found| found.number == looking.number);
        let is_opened = said.and_then(|found| found.said(&looking.document)) == Some(Verdict::Opened);
        if !(is_bounce && looking.is_first && is_opened) {
            return Vec::new();
        }
        if self.note.is_none() {
            self.note = Some("You came back at once: not counted. Ctrl-Y says that it was right".into());
        }
        self.say(&looking.document, Verdict::Withdrawn)
    }

    /// Whether it was noted. What was not is not shown as said.
    pub(super) fn judged(&mut self, judgement: Judgement, result: Result<()>) {
        let Err(error) = result else { return };
        self.note = Some(format!("This was not noted: {error}"));
        if let Some(found) = self.found.as_mut().filter(|found| found.number == judgement.number) {
            found.say(&judgement.document, judgement.before);
        }
    }

    fn say(&mut self, document: &str, verdict: Verdict) -> Vec<Effect> {
        let Some(found) = &mut self.found else { return Vec::new() };
        let before = found.say(document, Some(verdict));
        let (number, document) = (found.number, document.to_string());
        vec![Effect::Judge(Judgement { number, document, verdict, before })]
    }
}
