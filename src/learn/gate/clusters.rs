//! Clusters of queries that share an answer: a gain for one of them is a gain for the others.

use std::collections::HashMap;

/// The cluster of each query, given the answers of each. Queries with a common answer, directly or through others, are
/// in one cluster. Its number is the index of its first query.
pub(super) fn groups_by_answer<'a, Answers>(queries: impl IntoIterator<Item = Answers>) -> Vec<usize>
where
    Answers: IntoIterator<Item = &'a String>,
{
    let mut parent: Vec<usize> = Vec::new();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (query, answers) in queries.into_iter().enumerate() {
        parent.push(query);
        for answer in answers {
            let other = *first.entry(answer).or_insert(query);
            let (a, b) = (root(&mut parent, query), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..parent.len()).map(|query| root(&mut parent, query)).collect()
}

fn root(parent: &mut [usize], mut query: usize) -> usize {
    while parent[query] != query {
        parent[query] = parent[parent[query]];
        query = parent[query];
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_with_a_common_answer_are_one_group_directly_or_through_others() {
        let answers = |answers: &[&str]| answers.iter().map(|one| one.to_string()).collect::<Vec<_>>();
        let queries = [answers(&["a"]), answers(&["b"]), answers(&["c"]), answers(&["c", "a"])];
        assert_eq!(groups_by_answer(&queries), [0, 1, 0, 0]);
    }
}
