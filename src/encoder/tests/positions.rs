use super::golden;
use crate::encoder::ops::relative_position_bucket;

#[derive(serde::Deserialize)]
struct Golden {
    relative_position_min: isize,
    relative_position_max: isize,
    bucket: Vec<usize>,
}

#[test]
fn buckets_are_those_of_the_reference_at_every_distance() {
    let golden: Golden = golden("relative_position_bucket.json");
    let distances = golden.relative_position_min..=golden.relative_position_max;
    assert_eq!(distances.clone().count(), golden.bucket.len());
    for (distance, bucket) in distances.zip(golden.bucket) {
        assert_eq!(relative_position_bucket(distance), bucket, "at {distance}");
    }
}
